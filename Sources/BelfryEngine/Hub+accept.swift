import BelfryCore
import BelfryRules
import BelfryStore

extension Hub {
    /// Stores a delivery. What is known already and has started nothing is matched again, as it is stored.
    func accept(_ delivery: AcceptedDelivery) async throws(BelfryError) -> [AcceptedEvent] {
        var accepted = try await store.accept(delivery)
        for (index, duplicate) in accepted.enumerated() where duplicate.mayMatchAgain {
            let event = try await store.event(duplicate.event).event
            let ruleSet = registry.snapshot.ruleSet
            let matches = ruleSet.requests(of: event, logger)
            guard !matches.isEmpty else { continue }
            let replay = EventReplay(event: event, ruleSetVersion: ruleSet.version, matches: matches)
            accepted[index] = try await store.matchAgain(replay, duplicate: duplicate, of: delivery)
        }
        return accepted
    }
}
