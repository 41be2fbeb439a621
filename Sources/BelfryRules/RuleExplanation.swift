public import BelfryCore

/// Whether an event satisfies a rule, by which of its patterns, and why.
public struct RuleExplanation: Sendable {
    /// What a step of the rule waits for, held against the event.
    public struct Wait: Sendable {
        /// The step's name.
        public var step: String
        public var explanation: PatternExplanation
        /// Places of `by` where the event holds nothing: it is no run's event, though it satisfies the pattern.
        public var missing: [String]

        /// The event resumes runs that wait at the step and have the same values.
        public var isMatch: Bool { explanation.matched && missing.isEmpty }
    }

    public var rule: String
    /// The stored version that was asked; nil for a draft.
    public var version: Int64?
    /// What the event does to the rule; nil: no match. `resolve` comes before `when`, and both before waits.
    public var kind: RuleMatch.Kind?
    public var when: PatternExplanation
    /// Nil for a rule without `resolve`.
    public var resolve: PatternExplanation?
    /// Of each step that waits for an event, in their order.
    public var waits: [Wait]

    public var isMatch: Bool { kind != nil }

    /// `{rule, version?, matched, kind?, explanation, resolve?, waits?}`: `explanation` is that of `when`; `waits` is a list
    /// of explanations with their `step`, and with `missing` where there is something.
    public var json: JSONObject {
        var json: JSONObject = ["rule": .string(rule)]
        if let version { json["version"] = .int(version) }
        json["matched"] = .bool(isMatch)
        if let kind { json["kind"] = .string(kind.name) }
        json["explanation"] = when.json
        if let resolve { json["resolve"] = resolve.json }
        if !waits.isEmpty { json["waits"] = .array(waits.map { .object($0.json) }) }
        return json
    }
}

extension RuleExplanation.Wait {
    fileprivate var json: JSONObject {
        var json: JSONObject = ["step": .string(step), "resumes": .bool(isMatch), "explanation": explanation.json]
        if !missing.isEmpty { json["missing"] = .array(missing.map(JSONValue.string)) }
        return json
    }
}

extension RuleMatch.Kind {
    fileprivate var name: String {
        switch self {
        case .triggers: "triggers"
        case .resolves: "resolves"
        case .resumes: "resumes"
        }
    }
}

extension RuleDefinition {
    /// Holds an event, an object, against all patterns of the rule.
    public func explain(_ event: JSONValue, version: Int64? = nil) -> RuleExplanation {
        let when = pattern.explain(event)
        let resolve = resolve?.pattern.explain(event)
        let waits = steps.compactMap { step in
            step.eventWait.map { wait in
                RuleExplanation.Wait(
                    step: step.name, explanation: wait.pattern.explain(event), missing: wait.missingPlaces(in: event))
            }
        }
        var kind = waits.first(where: \.isMatch).map { RuleMatch.Kind.resumes(step: $0.step) }
        if when.matched { kind = .triggers }
        if resolve?.matched == true { kind = .resolves }
        return RuleExplanation(
            rule: name, version: version, kind: kind, when: when, resolve: resolve, waits: waits)
    }
}

extension [RuleExplanation] {
    /// The answer to a test of rules: `{matched, rules: […]}`, each as ``RuleExplanation/json``. `matched`: any of them does.
    public var json: JSONObject {
        ["matched": .bool(contains(where: \.isMatch)), "rules": .array(map { .object($0.json) })]
    }
}
