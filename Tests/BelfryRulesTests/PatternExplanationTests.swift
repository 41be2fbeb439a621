import BelfryCore
import BelfryRules
import Testing

struct PatternExplanationTests {
    @Test("a failing clause is named with the value seen")
    func failingClause() throws {
        let pattern = try EventPattern(
            json: .json(#"{"source": ["plant"], "data": {"celsius": [{"numeric": [">", 90]}]}}"#))
        let explanation = pattern.explain(try .json(#"{"source": "plant", "data": {"celsius": 71}}"#))
        #expect(!explanation.matched)
        #expect(explanation.failures.map(\.description) == [#"data.celsius: numeric [">",90] — saw 71"#])
        #expect(explanation.clauses.map(\.isSatisfied) == [false, true])
        #expect(explanation.json["matched"] == false)
        #expect(explanation.json["all"]?.array?.count == 2)
        #expect(explanation.json["failures"]?.array?.count == 1)
    }

    @Test("a value that is not there is said to be missing")
    func missing() throws {
        let pattern = try EventPattern(json: .json(#"{"a": ["x", "y"]}"#))
        #expect(pattern.explain([:]).failures.map(\.description) == [#"a: one of "x", "y" — saw no value"#])
    }

    @Test("values in different elements of an array are the reason, where they are")
    func arrayConsistency() throws {
        let pattern = try EventPattern(json: .json(#"{"x": {"a": [1], "b": [2]}}"#))
        let failures = pattern.explain(try .json(#"{"x": [{"a": 1}, {"b": 2}]}"#)).failures
        #expect(
            failures.map(\.description) == [
                "x.b: 2 — saw 2 (it is in x[1], x.a matches in x[0]: not in the same array element)"
            ])
        let nested = try EventPattern(json: .json(#"{"x": {"y": {"a": [1], "b": [2]}}}"#))
            .explain(try .json(#"{"x": [{"y": [{"a": 0}, {"a": 1}]}, {"y": [{"b": 2}]}]}"#))
        #expect(nested.failures.first?.note?.hasPrefix("it is in x[1].y[0], x.y.a matches in x[0].y[1]:") == true)
    }

    @Test("a value that is absent only in the matching array element is said to be so")
    func absentBeside() throws {
        let pattern = try EventPattern(json: .json(#"{"x": {"a": [1], "b": [{"exists": false}]}}"#))
        let explanation = pattern.explain(try .json(#"{"x": [{"a": 1}, {"b": 2}]}"#))
        #expect(explanation.matched && explanation.failures.isEmpty)
        #expect(explanation.clauses.map(\.isSatisfied) == [true, true])
        #expect(explanation.clauses.last?.note == "not in the array element of the other values")
    }

    @Test("of alternatives the nearest is shown first, and shared clauses stand apart")
    func alternatives() throws {
        let pattern = try EventPattern(
            json: .json(#"{"s": ["p"], "$or": [{"a": [1], "b": [1]}, {"c": [3], "s": ["p"]}, {"a": [1], "d": [4]}]}"#))
        let explanation = pattern.explain(try .json(#"{"s": "p", "a": 1, "d": 5}"#))
        #expect(explanation.alternatives.count == 3)
        #expect(explanation.failures.map(\.path) == ["b"])
        #expect(explanation.json["all"]?.array?.last?["any"]?.array?.count == 3)
    }

    @Test("many values and long texts are cut")
    func bounded() throws {
        let pattern = try EventPattern(json: .json(#"{"a": ["x"]}"#))
        let long = String(repeating: "é", count: 5000)
        let event: JSONValue = ["a": .array([JSONValue](repeating: .string(long), count: 50))]
        let clause = try #require(pattern.explain(event).failures.first)
        #expect(clause.seen.count == PatternExplanation.valuesSeenMax)
        #expect(clause.seenCount == 50)
        #expect(clause.description.utf8.count < 2000)
        #expect(clause.description.contains("and 45 more"))
    }

    @Test("a pattern of a compiled set is explained as it was written")
    func compiled() throws {
        let text =
            #"{"a": [1e3, {"numeric": ["=", 1.50]}, "\u00e9", {"wildcard": "x\\*y*"}], "c": [1], "#
            + #""c": [{"anything-but": {"equals-ignore-case": "Ab"}}], "d.e": [{"exists": false}], "#
            + #""$or": [{"f": [null]}, {"g": [{"cidr": "10.0.0.0/8"}]}]}"#
        let pattern = try EventPattern(json: .json(text))
        let event: JSONValue = ["a": "x", "g": "10.1.2.3"]
        let before = pattern.explain(event).json
        let set = RuleSet(version: 1, rules: [try Rule("r", pattern)])
        #expect(pattern.explain(event).json.text == before.text)
        #expect(set.rules.first?.definition.pattern.explain(event).json.text == before.text)
        #expect(before.text.contains("1e3") && before.text.contains("1.50") && !before.text.contains(#"[1]"#))
    }
}
