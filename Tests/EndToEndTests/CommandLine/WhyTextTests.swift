import BelfryCore
import Testing

@testable import belfry

struct WhyTextTests {
    private func rule(_ name: String, matched: Bool, failing path: String? = nil) -> JSONValue {
        let clauses: [JSONValue] =
            path.map { [["path": .string($0), "expected": ["x"], "matched": false, "seen": ["y"]]] } ?? []
        return [
            "rule": .string(name), "version": 2, "matched": .bool(matched),
            "explanation": ["matched": .bool(matched), "all": .array(clauses)],
        ]
    }

    private func text(_ rules: [JSONValue], matches: [JSONValue] = [], showsAll: Bool = false) -> String {
        let answer: JSONValue = [
            "event": "evt_x", "status": "filtered", "ruleset_version": 3, "verified_by": .null, "rules_changed": true,
            "matches": .array(matches), "rules": .array(rules),
        ]
        return WhyText.of(answer, showsAll: showsAll)
    }

    @Test("a rule that matches only today is told apart from one that has matched")
    func today() {
        let text = text(
            [rule("hot-pump", matched: true), rule("cold-pump", matched: true)],
            matches: [["rule": "cold-pump", "outcome": "started", "run": "run_y"]])
        #expect(text.contains("✓ cold-pump: started run_y\n"))
        #expect(text.contains("~ hot-pump (v2) would match today; it did not when the event came\n"))
        #expect(!text.contains("~ cold-pump"))
    }

    @Test("rules for other sources are only counted, unless all are asked for")
    func folded() {
        let rules = [
            rule("a", matched: false, failing: "source"), rule("b", matched: false, failing: "source"),
            rule("c", matched: false, failing: "data.celsius"),
        ]
        let folded = text(rules)
        #expect(folded.hasSuffix("2 rules are for other sources (--all shows them)\n"))
        #expect(folded.contains("✗ c: no match") && !folded.contains("✗ a"))
        let all = text(rules, showsAll: true)
        #expect(all.contains("✗ a: no match") && !all.contains("--all"))
    }
}
