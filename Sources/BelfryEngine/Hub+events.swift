public import BelfryCore
import BelfryRules
public import BelfryStore

extension Hub {
    /// Newest first.
    public func events(
        _ filter: EventFilter, limit: Int, cursor: String?
    ) async throws(BelfryError) -> Page<EventSummary> {
        try await store.events(filter, cursor: cursor, max: limit)
    }

    /// The event whole. Throws `not_found`.
    public func event(_ id: EventID) async throws(BelfryError) -> EventRecord { try await store.event(id) }

    /// What happened to an event, and why: the stored outcome of every match, and for every rule of today the clauses
    /// with the values seen. `rules_changed` says that today's rules are not those the event was matched with.
    public func why(_ id: EventID) async throws(BelfryError) -> JSONObject {
        let record = try await store.event(id)
        let matches = try await store.matches(of: id)
        let ruleSet = registry.snapshot.ruleSet
        let event = record.event.value
        var why: JSONObject = [
            "event": .string(id.description),
            "status": .string(record.summary.status.rawValue),
            "ruleset_version": .int(record.summary.ruleSetVersion),
            "rules_changed": .bool(record.summary.ruleSetVersion != ruleSet.version),
            "verified_by": .optional(record.summary.verifiedBy),
            "matches": .array(matches.map { .object($0.json) }),
        ]
        if let other = record.summary.sameBodyAs { why["same_body_as"] = .string(other.description) }
        why["rules"] = .array(
            ruleSet.rules.map { rule in
                let explanation = rule.definition.pattern.explain(event)
                return [
                    "rule": .string(rule.definition.name), "version": .int(rule.version),
                    "matched": .bool(explanation.matched), "explanation": explanation.json,
                ]
            }
        )
        return why
    }

    /// Whether a rule would match an event, and why: `{rule, matched, explanation}`. Nothing is stored or started.
    public func testRule(_ rule: RuleChoice, event: EventChoice) async throws(BelfryError) -> JSONObject {
        let definition: RuleDefinition
        switch rule {
        case .named(let name):
            guard let stored = registry.snapshot.rules[name] else {
                throw BelfryError(.notFound, "there is no rule \(name)")
            }
            definition = stored
        case .text(let text, let path):
            definition = try draft(text, path: path)
        }
        let value: JSONValue =
            switch event {
            case .object(let object): object
            case .stored(let id): try await store.event(id).event.value
            }
        let explanation = definition.pattern.explain(value)
        return [
            "rule": .string(definition.name), "matched": .bool(explanation.matched), "explanation": explanation.json,
        ]
    }
}

extension MatchRecord {
    fileprivate var json: JSONObject {
        [
            "rule": .string(rule), "rule_version": .int(ruleVersion), "outcome": .string(outcome.rawValue),
            "run": .optional(run?.description), "detail": .optional(detail), "round": .int(round),
            "time": .string(time.description),
        ]
    }
}
