import BelfryCore
import BelfryRules
import BelfryStore
import Logging

extension Hub {
    /// Stores a delivery. What is known already and has started nothing is matched again, as it is stored.
    func accept(_ delivery: AcceptedDelivery) async throws(BelfryError) -> [AcceptedEvent] {
        var accepted = try await registry.accept(delivery)
        for (index, duplicate) in accepted.enumerated() where duplicate.mayMatchAgain {
            let event = try await store.event(duplicate.event).event
            accepted[index] = try await registry.rematching { snapshot throws(BelfryError) in
                let replay = EventReplay(event, snapshot, logger)
                return replay.matches.isEmpty
                    ? duplicate : try await store.matchAgain(replay, duplicate: duplicate, of: delivery)
            }
        }
        return accepted
    }
}

extension Registry {
    /// Stores a delivery that was matched; matched once more if a step has begun to wait since that might wait for it.
    func accept(_ given: AcceptedDelivery) async throws(BelfryError) -> [AcceptedEvent] {
        var delivery = given
        while true {
            do throws(BelfryError) {
                return try await store.accept(delivery)
            } catch  where error.asksForRematch {
                let snapshot = snapshot
                delivery.ruleSetVersion = snapshot.ruleSet.version
                delivery.generation = snapshot.generation
                for index in delivery.items.indices {
                    delivery.items[index].matches = snapshot.ruleSet.requests(of: delivery.items[index].event, logger)
                }
            }
        }
    }

    /// Does something with the matches of a stored event, by the rules of now and of then.
    func rematching<Value: Sendable>(
        _ body: (Snapshot) async throws(BelfryError) -> Value
    ) async throws(BelfryError) -> Value {
        while true {
            do throws(BelfryError) {
                return try await body(snapshot)
            } catch  where error.asksForRematch {
                continue
            }
        }
    }
}

extension EventReplay {
    init(_ event: Event, _ snapshot: Registry.Snapshot, rule: String? = nil, _ logger: Logger) {
        let matches = snapshot.ruleSet.requests(of: event, logger).filter { rule == nil || $0.rule == rule }
        self.init(event: event, ruleSetVersion: snapshot.ruleSet.version, matches: matches, rule: rule)
        generation = snapshot.generation
    }
}
