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

    @Test("how a run ended is said beside what was decided, unless all went well")
    func runEnd() {
        let end: JSONValue = [
            "state": "expired", "reason": "max_wait",
            "error": ["code": "max_wait", "message": "waited longer than 1m"],
        ]
        let text = text(
            [],
            matches: [
                ["rule": "a", "outcome": "queued", "run": "run_a", "run_end": end],
                ["rule": "b", "outcome": "started", "run": "run_b", "run_end": ["state": "succeeded"]],
            ])
        #expect(text.contains("✓ a: queued run_a; expired (max_wait): waited longer than 1m\n"), "\(text)")
        #expect(text.contains("✓ b: started run_b\n"), "\(text)")
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

    @Test("rounds, a rule that changed, one that is gone, and rules that are left out are said; 80 columns hold")
    func history() throws {
        func match(_ round: Int, _ rule: String, _ outcome: String, _ more: JSONObject = [:]) -> JSONValue {
            var match: JSONObject = [
                "rule": .string(rule), "rule_version": 3, "outcome": .string(outcome), "run": .null, "detail": .null,
                "round": .int(round), "time": "2026-11-23T08:31:18.000Z", "version_now": 3,
            ]
            for member in more.members { match[member.key] = member.value }
            return .object(match)
        }
        let clause: JSONValue = [
            "path": "data.site", "expected": [["prefix": "plant-"], "a", "b", "c", "d", "e", "f"], "matched": false,
            "seen": ["x-1"], "seen_count": 7,
        ]
        let answer: JSONValue = [
            "event": "evt_x", "source": "plant", "type": "sensor.reading", "status": "matched",
            "received": "2026-11-23T08:31:18.000Z", "ruleset_version": 3, "verified_by": "generated-1",
            "rules_changed": true,
            "matches": [
                match(
                    0, "hot", "paused", ["detail": "the source is paused (belfry sources resume)", "version_now": 5]),
                match(
                    1, "hot", "started", ["run": "run_01h455vb4pex5vsknk084sn02q", "rule_version": 5, "version_now": 5]),
                match(1, "old", "observed", ["version_now": .null]),
            ],
            "rules": [
                ["rule": "cold", "version": 2, "matched": false, "explanation": ["matched": false, "all": [clause]]]
            ],
            "total": 90, "matching": 1, "for_other_sources": 60, "left_out": 89,
            "disabled": ["spare"],
        ]
        let text = WhyText.of(answer, showsAll: false, width: 80)
        #expect(
            text == """
                evt_x: matched
                  plant, sensor.reading, 2026-11-23 08:31:18Z, verified by generated-1
                  matched with version 3 of the rules, which have changed since
                round 1, 2026-11-23 08:31:18Z
                ✓ hot: paused (the source is paused (belfry sources resume)); the rule has
                    changed since: v3 then, v5 now
                round 2, 2026-11-23 08:31:18Z
                ✓ hot: started run_01h455vb4pex5vsknk084sn02q
                ✓ old: observed; the rule (v3) is gone since
                ~ spare would match, but is disabled
                1 more rule would match today
                ✗ cold: no match, because
                  ✗ data.site: prefix "plant-" or "a" or "b" or "c" or "d" and 2 more
                      — saw "x-1" and 6 more
                28 more rules are further off; --rule NAME asks one of them
                60 rules are for other sources (--all shows them)

                """)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }
}
