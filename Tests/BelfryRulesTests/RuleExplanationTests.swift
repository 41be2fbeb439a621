import BelfryCore
import Testing

@testable import BelfryRules

struct RuleExplanationTests {
    private func rule(_ name: String, _ when: String, resolve: String? = nil) throws -> Rule {
        let step = StepDefinition(name: "a", action: .command([]))
        var definition = RuleDefinition(name: name, pattern: try EventPattern(json: .json(when)), steps: [step])
        definition.resolve = try resolve.map { ResolveSettings(pattern: try EventPattern(json: .json($0)), by: []) }
        return Rule(definition: definition, version: 3)
    }

    @Test("the pattern that decides is named: resolve before when, and neither")
    func kinds() throws {
        let rule = try rule("hot", #"{"source": ["p"]}"#, resolve: #"{"c": [{"numeric": ["<", 85]}]}"#)
        func explain(_ event: String) throws -> RuleExplanation {
            rule.definition.explain(try .json(event), version: rule.version)
        }
        let resolving = try explain(#"{"source": "p", "c": 80}"#)
        #expect(resolving.kind == .resolves && resolving.json["kind"] == "resolves")
        #expect(resolving.json["resolve"]?["matched"] == true && resolving.json["version"]?.number?.int64 == 3)
        let triggering = try explain(#"{"source": "p", "c": 95}"#)
        #expect(triggering.kind == .triggers && triggering.json["resolve"]?["failures"]?.array?.count == 1)
        let none = try explain(#"{"source": "q"}"#)
        #expect(!none.isMatch && none.json["kind"] == nil && none.json["explanation"]?["matched"] == false)
        #expect([none, triggering].json["matched"] == true && [none].json["matched"] == false)
    }

    @Test("the source weighs more than the type, the type more than all the rest; ties go by name")
    func order() throws {
        let set = RuleSet(
            version: 1,
            rules: [
                try rule("other-source", #"{"source": ["q"]}"#),
                try rule("other-type", #"{"source": ["p"], "type": ["u"]}"#),
                try rule("three", #"{"source": ["p"], "type": ["t"], "a": [2], "b": [2], "c": [2]}"#),
                try rule("one-b", #"{"source": ["p"], "a": [2]}"#),
                try rule("one-a", #"{"source": ["p"], "a": [3]}"#),
                try rule("match", #"{"source": ["p"], "a": [1]}"#),
                try rule("ends", #"{"source": ["q"]}"#, resolve: #"{"a": [1]}"#),
            ])
        let event = try JSONValue.json(#"{"source": "p", "type": "t", "a": 1}"#)
        let nearest = set.nearest(to: event, max: 20)
        #expect(
            nearest.rules.map(\.definition.name)
                == ["ends", "match", "one-a", "one-b", "three", "other-type", "other-source"])
        #expect(nearest.matching == 2 && nearest.forOtherSources == 1)
        #expect(set.nearest(to: event, max: 3).rules.map(\.definition.name) == ["ends", "match", "one-a"])
        #expect(set.nearest(to: event, max: 0).rules.isEmpty)
    }

    @Test("of an $or the nearest way counts; values in different array elements are one failure")
    func ways() throws {
        let fields = EventFields(try .json(#"{"a": 1, "x": [{"m": 1}, {"n": 2}]}"#), wanted: nil)
        let either = try EventPattern(json: .json(#"{"$or": [{"a": [2], "b": [2]}, {"a": [1], "c": [3]}]}"#))
        #expect(either.distance(to: fields).failures == 1)
        let split = try EventPattern(json: .json(#"{"x": {"m": [1], "n": [2]}}"#))
        #expect(split.distance(to: fields).failures == 1)
        #expect(try EventPattern(json: .json(#"{"x": {"m": [1]}}"#)).distance(to: fields) == .match)
    }

    @Test("a distance of nothing and a match are the same, for any pattern and event")
    func agreesWithMatching() throws {
        for bound in [PatternDistance?.none, PatternDistance(failures: 2)] {
            for value in 0...3 {
                let event = try JSONValue.json(#"{"source": "p", "a": [{"b": \#(value)}, {"c": 1}], "d": \#(value)}"#)
                let fields = EventFields(event, wanted: nil)
                for text in [
                    #"{"a": {"b": [1], "c": [1]}}"#, #"{"a": {"b": [1], "c": [{"exists": false}]}}"#,
                    #"{"source": ["p"], "d": [{"numeric": [">", 1]}]}"#, #"{"$or": [{"d": [0]}, {"a": {"b": [3]}}]}"#,
                ] {
                    let pattern = try EventPattern(json: .json(text))
                    #expect(
                        pattern.distance(to: fields, max: bound).isMatch == pattern.matches(event), "\(text) \(event)")
                }
            }
        }
    }
}
