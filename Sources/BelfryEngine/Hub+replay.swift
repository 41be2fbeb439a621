public import BelfryCore
import BelfryRules
public import BelfryStore

extension Hub {
    /// Matches a stored event on today's rules, as a new round. What was stored while its source was paused starts this
    /// way.
    /// - Parameter rule: only this one; nil for all.
    /// - Throws: `not_found` for the event or the rule, `conflict` for a rule that is switched off.
    public func replay(
        _ id: EventID, rule: String? = nil, by principal: Principal
    ) async throws(BelfryError) -> AcceptedEvent {
        let event = try await store.event(id).event
        return try await registry.rematching { snapshot throws(BelfryError) in
            if let rule { try checkMatches(rule, in: snapshot) }
            return try await store.replay(EventReplay(event, snapshot, rule: rule, logger), by: principal)
        }
    }

    func checkMatches(_ rule: String, in snapshot: Registry.Snapshot) throws(BelfryError) {
        guard snapshot.rules[rule] != nil else {
            throw unknown(DocumentName(.rule, String(rule.prefix(Limits.nameBytesMax))))
        }
        guard snapshot.ruleSet.rule(named: rule) != nil else {
            throw BelfryError(.conflict, "the rule \(rule) is switched off; belfry rules enable \(rule)")
        }
    }
}
