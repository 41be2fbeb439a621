public import BelfryCore

/// Whether an event satisfies a rule, by which of its patterns, and why.
public struct RuleExplanation: Sendable {
    public var rule: String
    /// The stored version that was asked; nil for a draft.
    public var version: Int64?
    /// What the event does to the rule; nil: no match. `resolve` comes before `when`.
    public var kind: RuleMatch.Kind?
    public var when: PatternExplanation
    /// Nil for a rule without `resolve`.
    public var resolve: PatternExplanation?

    public var isMatch: Bool { kind != nil }

    /// `{rule, version?, matched, kind?, explanation, resolve?}`: `explanation` is that of `when`.
    public var json: JSONObject {
        var json: JSONObject = ["rule": .string(rule)]
        if let version { json["version"] = .int(version) }
        json["matched"] = .bool(isMatch)
        if let kind { json["kind"] = kind == .resolves ? "resolves" : "triggers" }
        json["explanation"] = when.json
        if let resolve { json["resolve"] = resolve.json }
        return json
    }
}

extension RuleDefinition {
    /// Holds an event, an object, against both patterns of the rule.
    public func explain(_ event: JSONValue, version: Int64? = nil) -> RuleExplanation {
        let when = pattern.explain(event)
        let resolve = resolve?.pattern.explain(event)
        let kind: RuleMatch.Kind? = resolve?.matched == true ? .resolves : when.matched ? .triggers : nil
        return RuleExplanation(rule: name, version: version, kind: kind, when: when, resolve: resolve)
    }
}

extension [RuleExplanation] {
    /// The answer to a test of rules: `{matched, rules: [{rule, version?, matched, kind?, explanation, resolve?}]}`.
    /// `matched`: any of them does.
    public var json: JSONObject {
        ["matched": .bool(contains(where: \.isMatch)), "rules": .array(map { .object($0.json) })]
    }
}
