import BelfryCore
import BelfryRules
import Testing

/// The language against the verdicts of event-ruler 2.0.1 and of AWS.
@Suite(.enabled(if: Conformance.isThere, "the conformance cases are not beside this repository"))
struct PatternConformanceTests {
    /// Cases where Belfry differs on purpose: name → why. Empty: all agree.
    static let argued: [String: String] = [:]

    @Test("every case has the verdict of event-ruler")
    func verdicts() throws {
        let cases = try Conformance.lines("cases.jsonl")
        #expect(cases.count >= 1479)
        var wrong: [String] = []
        for line in cases {
            let name = line["name"]?.string ?? "?"
            let pattern = line["pattern"] ?? .null
            let event = line["event"] ?? .null
            do {
                let compiled = try EventPattern(json: pattern)
                let matched = compiled.matches(event)
                if matched != line["match"]?.bool { wrong.append("\(name): matched \(matched)") }
                let explained = compiled.explain(event)
                if explained.matched != matched { wrong.append("\(name): explained otherwise") }
                if !matched, explained.failures.isEmpty { wrong.append("\(name): no failing clause") }
            } catch {
                wrong.append("\(name): refused: \(error)")
            }
        }
        wrong.removeAll { message in Self.argued.keys.contains { message.hasPrefix($0 + ":") } }
        #expect(wrong.isEmpty, "\(wrong.count) differ:\n\(wrong.prefix(40).joined(separator: "\n"))")
    }

    @Test("what event-ruler refuses is refused, with a path or a reason")
    func invalid() throws {
        for line in try Conformance.lines("invalid.jsonl") {
            let text = line["pattern_text"]?.string ?? ""
            // Some are no JSON at all.
            let error = #expect(throws: (any Error).self, "\(text)") {
                try EventPattern(json: JSONValue(parsing: text))
            }
            if let error = error as? PatternError { #expect(error.hint != nil, "\(text)") }
        }
    }

    @Test("what event-ruler accepts is accepted")
    func valid() throws {
        for line in try Conformance.lines("valid_patterns.jsonl") {
            let text = line["pattern_text"]?.string ?? ""
            #expect(throws: Never.self, "\(text)") { try EventPattern(json: try JSONValue(parsing: text)) }
        }
    }
}
