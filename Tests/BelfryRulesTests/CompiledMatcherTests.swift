import BelfryCore
import BelfryRules
import Foundation
import Testing

/// The compiled matcher against the plain one, which is the definition.
struct CompiledMatcherTests {
    private func set(_ patterns: [EventPattern]) throws -> RuleSet {
        RuleSet(version: 1, rules: try patterns.enumerated().map { try Rule(Self.name($0.offset), $0.element) })
    }

    private static func name(_ number: Int) -> String {
        "r" + String(repeating: "0", count: 6 - "\(number)".count) + "\(number)"
    }

    @Test("random patterns match random events as the plain matcher says", arguments: 1...6)
    func differential(seed: UInt64) throws {
        var cases = RandomCases(seed: seed)
        var matches = 0
        for _ in 0..<16 {
            let patterns = try (0..<40).map { _ in try cases.pattern() }
            let set = try set(patterns.map(\.pattern))
            for _ in 0..<40 {
                let text = cases.event()
                let event = try JSONValue(parsing: text)
                let expected = patterns.indices.filter { patterns[$0].pattern.matches(event) }
                matches += expected.count
                let found = Set(set.matches(json: RawJSON(trusted: Array(text.utf8))).map(\.rule.definition.name))
                let inTree = Set(set.matches(event).map(\.rule.definition.name))
                let names = Set(expected.map(Self.name))
                #expect(inTree == names, "as a tree: \(text)")
                let lookedUp = set.matches(json: RawJSON(trusted: Array(text.utf8)), within: .lookUps).matches
                #expect(Set(lookedUp.map(\.rule.definition.name)) == names, "looked up: \(text)")
                if found != names {
                    let wrong = patterns.indices.filter {
                        found.contains(Self.name($0)) != names.contains(Self.name($0))
                    }
                    for number in wrong {
                        Issue.record(
                            "seed \(seed): \(patterns[number].json.text) on \(text): expected \(names.contains(Self.name(number)))"
                        )
                    }
                    return
                }
            }
        }
        #expect(matches > 300, "the random cases must match often enough to mean something")
    }

    @Test("the envelope's members match as those of the event's object", arguments: 1...4)
    func envelope(seed: UInt64) throws {
        var cases = RandomCases(seed: 100 + seed)
        let paths = ["id", "source", "origin", "key", "type", "subject", "time", "received", "remote"]
        var matches = 0
        for round in 0..<60 {
            let data = RawJSON(trusted: Array((round % 10 == 0 ? "[\(cases.event())]" : cases.event()).utf8))
            var event = Event(
                id: EventID(at: Timestamp(milliseconds: 1)), source: "s", type: "t.\(round % 3)",
                time: Timestamp(milliseconds: 5), received: Timestamp(milliseconds: 7), remote: "10.0.0.1", data: data)
            if round % 2 == 0 { event.origin = "o" }
            if round % 3 == 0 { event.subject = "a/b" }
            if round % 5 == 0 { event.ext = ["a": "x", "b": ["c": 1]] }
            if round % 7 == 0 { event.headers = ["x-a": "1", "x.b": "2"] }
            let value = event.value
            var patterns: [EventPattern] = []
            for _ in 0..<20 {
                let (json, _) = try cases.pattern()
                patterns.append(try EventPattern(json: ["data": json, "type": ["t.0", "t.1"]]))
                patterns.append(try EventPattern(json: ["$or": [["data": json], ["origin": ["o"]]]]))
            }
            for path in paths {
                patterns.append(try EventPattern(json: .object([path: [["exists": true]]])))
                if let seen = value[path] { patterns.append(try EventPattern(json: .object([path: [seen]]))) }
            }
            for json: JSONValue in [
                ["ext": ["a": ["x"]]], ["ext": ["b": ["c": [1]]]], ["headers": ["x-a": ["1"]]], ["headers.x-a": ["1"]],
                ["headers": ["x": ["b": ["2"]]]], ["headers": ["x.b": [["exists": false]]]],
                ["data": [["exists": true]]],
                ["remote": [["cidr": "10.0.0.0/8"]]],
            ] { patterns.append(try EventPattern(json: json)) }
            let expected = patterns.indices.filter { patterns[$0].matches(value) }.map(Self.name)
            matches += expected.count
            #expect(
                try set(patterns).matches(event).map(\.rule.definition.name) == expected, "\(event.json.text)")
        }
        #expect(matches > 500)
    }

    @Test(
        "every conformance case has its verdict, all rules compiled together",
        .enabled(if: Conformance.isThere, "the conformance cases are not beside this repository"))
    func conformance() throws {
        let lines = try Conformance.lines("cases.jsonl")
        let patterns = try lines.map { try EventPattern(json: $0["pattern"] ?? .null) }
        let all = try set(patterns)
        for (number, line) in lines.enumerated() {
            let event = RawJSON(line["event"] ?? .null)
            let matched = all.matches(json: event).map(\.rule.definition.name).contains(Self.name(number))
            #expect(matched == line["match"]?.bool, "\(line["name"]?.string ?? "?")")
            let alone = try set([patterns[number]])
            #expect(alone.matches(json: event).isEmpty != line["match"]?.bool, "alone: \(line["name"]?.string ?? "?")")
        }
    }

    @Test("events whose bytes are damaged in any way are read as the scanner reads them", arguments: 1...4)
    func damaged(seed: UInt64) throws {
        var cases = RandomCases(seed: 1000 + seed)
        let patterns = try (0..<60).map { _ in try cases.pattern().pattern }
        let set = try set(patterns)
        var valid = 0
        for _ in 0..<500 {
            var bytes = Array(cases.event().utf8)
            for _ in 0..<Int.random(in: 0...3, using: &cases.generator) {
                let place = Int.random(in: 0...bytes.count, using: &cases.generator)
                switch Int.random(in: 0..<4, using: &cases.generator) {
                case 0:
                    bytes.insert(
                        Array(#"{}[]",:\u0e1.-tn "#.utf8 + [0, 0x80, 0xC3, 0xFF]).randomElement(using: &cases.generator)
                            ?? 0, at: place)
                case 1 where place < bytes.count: bytes.remove(at: place)
                case 2 where place < bytes.count:
                    bytes[place] = UInt8.random(in: .min ... .max, using: &cases.generator)
                default: bytes.removeLast(min(bytes.count, Int.random(in: 0...2, using: &cases.generator)))
                }
            }
            let json = RawJSON(trusted: bytes)
            let isValid = (try? RawJSON(validating: bytes)) != nil
            if isValid { valid += 1 }
            let value = json.value
            let expected = patterns.indices.filter { patterns[$0].matches(value) }.map(Self.name)
            #expect(set.matches(json: json).map(\.rule.definition.name) == expected, "\(json.text)")
        }
        #expect(valid > 30)
    }

    @Test("parts between stars are found wherever they overlap, also where a longer one begins in a shorter one's end")
    func partsOfTexts() throws {
        func words(_ length: Int) -> [String] {
            length == 0 ? [""] : words(length - 1).flatMap { [$0 + "a", $0 + "b"] }
        }
        let patterns = try (1...4).flatMap(words).map {
            try EventPattern(json: ["f": [["wildcard": .string("*\($0)*")]]])
        }
        let all = try set(patterns)
        // Alone, none of the others' states helps.
        let each = try patterns.map { try set([$0]) }
        let wrong = (0...6).flatMap(words).filter { text in
            let event: JSONValue = ["f": .string(text)]
            let expected = patterns.indices.filter { patterns[$0].matches(event) }
            return all.matches(event).map(\.rule.definition.name) != expected.map(Self.name)
                || each.indices.filter { !each[$0].matches(event).isEmpty } != expected
        }
        #expect(wrong == [])
    }

    @Test("an array of which each value has rules of its own costs no square", .timeLimit(.minutes(3)))
    func values() throws {
        let count = 20_000
        let rules = try (0..<count).map {
            try Rule(
                Self.name($0),
                try EventPattern(json: $0 % 2 == 0 ? ["tags": [.string("t\($0)")]] : ["x": ["a": [.int($0)]]]))
        }
        let set = RuleSet(version: 1, rules: rules)
        let tags = (0..<count).map { "\"t\($0)\"" }.joined(separator: ",")
        let objects = (0..<count).map { "{\"a\":\($0)}" }.joined(separator: ",")
        let found = set.matches(json: RawJSON(trusted: Array(#"{"x":[\#(objects)],"tags":[\#(tags)]}"#.utf8)))
        #expect(found.count == count)
    }

    @Test("a rule that resolves and triggers says that it resolves; disabled ones say nothing")
    func kinds() throws {
        let firing = try EventPattern(json: ["type": ["firing"]])
        let resolved = try EventPattern(json: ["type": [["prefix": "res"]]])
        let both = try EventPattern(json: ["type": [["exists": true]]])
        let set = RuleSet(
            version: 1,
            rules: [
                try Rule("a", firing, resolve: resolved), try Rule("b", both, resolve: resolved),
                try Rule("c", both, isEnabled: false), try Rule("d", firing),
            ])
        func found(_ type: String) -> [String] {
            set.matches(["type": .string(type)]).map { "\($0.rule.definition.name) \($0.kind)" }
        }
        #expect(found("firing") == ["a triggers", "b triggers", "d triggers"])
        #expect(found("resolved") == ["a resolves", "b resolves"])
        #expect(set.count == 4 && set.rule(named: "c") != nil)
    }
}
