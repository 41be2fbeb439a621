import BelfryCore
import Testing

@testable import BelfryRules

/// What is known of a rule before an event's data are read.
struct MayMatchTests {
    private func rule(_ when: String, resolve: String? = nil) throws -> RuleDefinition {
        try Rule("r", EventPattern(json: .json(when)), resolve: resolve.map { try EventPattern(json: .json($0)) })
            .definition
    }

    @Test("an event of another source, or of another type, can't match; its data may")
    func mayMatch() throws {
        let both = try rule(#"{"source": ["plant"], "type": [{"prefix": "sensor."}], "data": {"celsius": [96]}}"#)
        #expect(both.mayMatch(source: "plant", type: "sensor.reading"))
        #expect(!both.mayMatch(source: "mill", type: "sensor.reading"))
        #expect(!both.mayMatch(source: "plant", type: "push"))
        let ways = try rule(#"{"$or": [{"source": ["a"], "type": ["x"]}, {"source": ["b"]}]}"#)
        #expect(ways.mayMatch(source: "a", type: "x") && ways.mayMatch(source: "b", type: "y"))
        #expect(!ways.mayMatch(source: "a", type: "y"))
        #expect(try rule(#"{"source": [{"anything-but": "a"}]}"#).mayMatch(source: "b", type: "x"))
    }

    @Test("an event that only resolves counts")
    func resolving() throws {
        let rule = try rule(#"{"source": ["a"]}"#, resolve: #"{"source": ["b"]}"#)
        #expect(rule.mayMatch(source: "a", type: "x") && rule.mayMatch(source: "b", type: "x"))
        #expect(!rule.mayMatch(source: "c", type: "x"))
        #expect(rule.names(source: "a") && rule.names(source: "b") && !rule.names(source: "c"))
        #expect(try !self.rule(#"{"source": [{"prefix": "a"}]}"#).names(source: "a"))
    }

    @Test("templates and conditions say which roots they ask for")
    func roots() throws {
        #expect(try Template(parsing: "{{event.id}} {{ group.count }}").asksFor(root: "group"))
        #expect(try !Template(parsing: "group {{event.data.group}}").asksFor(root: "group"))
        #expect(try EventPattern(json: .json(#"{"group": {"count": [2]}}"#)).asksFor(root: "group"))
        #expect(
            try EventPattern(json: .json(#"{"$or": [{"data": [1]}, {"group.count": [2]}]}"#)).asksFor(root: "group"))
        #expect(try !EventPattern(json: .json(#"{"data": {"group": [1]}}"#)).asksFor(root: "group"))
    }

    @Test("text without regard to case is as long as its forms, also where these differ in length")
    func cases() throws {
        let text = String(repeating: "a", count: 200) + "ßİŉ"
        for seen in [text, text.uppercased(), String(repeating: "A", count: 200) + "SSi\u{307}ʼN"] {
            for kind in ["equals-ignore-case", "prefix", "suffix"] {
                let test: JSONValue =
                    kind == "equals-ignore-case" ? .string(text) : ["equals-ignore-case": .string(text)]
                let pattern = try EventPattern(json: ["f": [.object([kind: test])]])
                #expect(pattern.matches(["f": .string(seen)]), "\(kind)")
                #expect(pattern.matches(["f": .string("x" + seen)]) == (kind == "suffix"))
                #expect(pattern.matches(["f": .string(seen + "x")]) == (kind == "prefix"))
                #expect(!pattern.matches(["f": .string(String(seen.dropFirst().dropLast()))]))
            }
        }
    }
}
