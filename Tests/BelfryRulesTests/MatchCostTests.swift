import BelfryCore
import Testing

@testable import BelfryRules

/// Rules and events that lead each of many rules to each of many values. What is counted is steps, not time.
@Suite(.timeLimit(.minutes(3)))
struct MatchCostTests {
    /// Rules by their number, and an event with as many values as asked for.
    struct Shape: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var rule: @Sendable (Int) -> String
        var event: @Sendable (Int) -> String

        init(_ name: String, _ rule: @escaping @Sendable (Int) -> String, _ event: @escaping @Sendable (Int) -> String)
        {
            testDescription = name
            self.rule = rule
            self.event = event
        }

        func set(_ count: Int) throws -> RuleSet {
            RuleSet(version: 1, rules: try (0..<count).map { try Rule("r\($0)", EventPattern(json: .json(rule($0)))) })
        }

        func json(_ count: Int) -> RawJSON { RawJSON(trusted: Array(event(count).utf8)) }
    }

    private static func list(_ count: Int, _ element: (Int) -> String) -> String {
        "[" + (0..<count).map(element).joined(separator: ",") + "]"
    }

    private static func numbered(_ count: Int, _ text: (Int) -> String) -> String {
        #"{"id": \#(list(count) { "\($0)" }), "t": \#(list(count, text))}"#
    }

    private static func objects(_ count: Int) -> String {
        #"{"a": \#(list(count) { #"{"b": \#($0), "c": \#($0)}"# })}"#
    }

    private static let texts: @Sendable (Int) -> String = { numbered($0) { "\"t\($0)\"" } }

    static let shapes = [
        Shape(
            "an anything-but that excludes all there is",
            { #"{"id": [\#($0)], "t": [{"anything-but": ["x", "y", "z\#($0)"]}]}"# },
            { numbered($0) { $0 % 2 == 0 ? "\"x\"" : "\"y\"" } }),
        Shape(
            "an anything-but with a beginning that all have",
            { #"{"t": [{"anything-but": {"prefix": ["a", "b\#($0)"]}}]}"# }, { numbered($0) { "\"a\($0)\"" } }),
        Shape(
            "an anything-but in any case", { #"{"t": [{"anything-but": {"equals-ignore-case": ["X", "z\#($0)"]}}]}"# },
            { numbered($0) { $0 % 2 == 0 ? "\"x\"" : "\"X\"" } }),
        Shape("a text that is not there", { #"{"id": [\#($0)], "t": ["u\#($0)"]}"# }, texts),
        Shape("a beginning that none has", { #"{"id": [\#($0)], "t": [{"prefix": "u\#($0)"}]}"# }, texts),
        Shape("an end that none has", { #"{"id": [\#($0)], "t": [{"suffix": "x\#($0)"}]}"# }, texts),
        Shape("a block without an address", { #"{"id": [\#($0)], "t": [{"cidr": "10.\#($0 % 250).0.0/16"}]}"# }, texts),
        Shape("a wildcard with a beginning", { #"{"id": [\#($0)], "t": [{"wildcard": "u\#($0)*x*"}]}"# }, texts),
        Shape(
            "ranges that hold all numbers", { #"{"id": [{"numeric": [">", -\#($0 + 1)]}], "t": ["none"]}"# },
            { numbered($0) { _ in "\"t\"" } }),
        Shape(
            "literals that end with one another",
            { #"{"t": [{"wildcard": "*\#(String(repeating: "a", count: $0 + 1))*b*"}]}"# },
            { #"{"t": "\#(String(repeating: "a", count: $0))"}"# }),
        Shape(
            "two conditions that hold in different elements", { #"{"a": {"b": [\#($0)], "c": [\#($0 + 1)]}}"# }, objects
        ),
        Shape(
            "a condition that holds in few elements, and one that holds in all",
            { #"{"a": {"b": [{"anything-but": [-1]}, \#($0)], "c": [\#($0)], "d": [1]}, "e": [\#($0)]}"# },
            { #"{"a": \#(list($0) { #"{"b": 1, "c": \#($0), "d": \#($0 % 2)}"# }), "e": \#(list($0) { "\($0)" })}"# }),
        Shape(
            "two conditions that hold in all elements",
            { #"{"a": {"b": [{"numeric": [">", -\#($0 + 1)]}], "c": [{"numeric": [">", -\#($0 + 2)]}]}}"# }, objects),
        Shape(
            "an absence in elements of which one has no such value",
            { #"{"a": {"b": [{"exists": true}, \#($0)], "c": [\#($0)], "d": [{"exists": false}]}}"# }, objects),
    ]

    @Test("twice the rules and twice the values cost twice as much, not four times", arguments: shapes)
    func linear(shape: Shape) throws {
        let (rules, values) = (200, 2000)
        let once = try shape.set(rules).matches(json: shape.json(values), within: .standard).cost
        let twice = try shape.set(rules * 2).matches(json: shape.json(values * 2), within: .standard).cost
        #expect(!once.isCutShort && !twice.isCutShort)
        #expect(twice.steps < once.steps * 5 / 2 + 10_000, "\(once.steps), then \(twice.steps)")
        #expect(twice.steps < rules * 2 * values * 2 / 4, "\(twice.steps)")
    }

    @Test("verdicts are those of the plain matcher", arguments: shapes)
    func verdicts(shape: Shape) throws {
        let set = try shape.set(40)
        let event = shape.json(60)
        let expected = set.rules.filter { $0.definition.pattern.matches(event.value) }.map(\.definition.name)
        #expect(set.matches(json: event).map(\.rule.definition.name) == expected)
        let lookedUp = set.matches(json: event, within: .lookUps)
        #expect(lookedUp.matches.map(\.rule.definition.name) == expected)
    }

    /// Half of the elements satisfy one condition, the others the other one.
    private static let halves = Shape(
        "halves", { #"{"a": {"b": [1, -\#($0 + 5)], "c": [1, -\#($0 + 5)]}}"# },
        { #"{"id": 1, "a": \#(list($0) { $0 % 2 == 0 ? #"{"b": 1, "c": 2}"# : #"{"b": 2, "c": 1}"# })}"# })

    @Test("what nothing shortens ends at a bound, holds for no rule, and is told; other rules hold")
    func bound() throws {
        let rules = try Self.halves.set(100).rules + [Rule("other", EventPattern(json: .json(#"{"id": [1]}"#)))]
        let set = RuleSet(version: 1, rules: rules)
        var budget = MatchBudget.standard
        budget.stepsMax = 100_000
        let bounded = set.matches(json: Self.halves.json(2000), within: budget)
        #expect(bounded.cost.isCutShort && bounded.matches.map(\.rule.definition.name) == ["other"])
        #expect(bounded.cost.steps < budget.stepsMax + 5_000)
        let whole = set.matches(json: Self.halves.json(2000), within: .standard)
        #expect(!whole.cost.isCutShort && whole.matches.map(\.rule.definition.name) == ["other"])
    }

    @Test("keys with dots, which make every join slow, and wildcards against all texts end at the bound too")
    func slowPaths() throws {
        let wildcards = Shape("wildcards", { #"{"id": [\#($0)], "t": [{"wildcard": "*u*\#($0)*"}]}"# }, Self.texts)
        let dotted = Shape(
            "dots", { #"{"a": {"b": [\#($0)], "c": [\#($0 + 1)]}}"# },
            { #"{"a.x": 1, "a.b": 7,"# + Self.objects($0).dropFirst() })
        for shape in [wildcards, dotted] {
            var budget = MatchBudget.standard
            budget.stepsMax = 300_000
            let cost = try shape.set(300).matches(json: shape.json(1000), within: budget).cost
            #expect(cost.isCutShort && cost.steps < 2 * budget.stepsMax, "\(cost)")
        }
    }
}
