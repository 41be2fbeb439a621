public import BelfryCore

extension Store {
    /// Stores a verified, matched delivery: dedupe, events, admission of each match, queued runs, frames and audit in
    /// one transaction. When this returns, it is on disk.
    ///
    /// A (source, key) that is known already makes no second event: its status is `duplicate`. If its event has started
    /// nothing, that says so: the caller finds today's matches of what is stored, for ``matchAgain(_:duplicate:of:)``.
    ///
    /// - Returns: One per item, in order.
    /// - Throws: `same_body` if an item refuses a body that was seen; `overloaded`, also if the source of what a token
    ///   publishes has changed meanwhile; `storage_full`, `storage_failed`, `shutting_down`; what
    ///   ``BelfryError/asksForRematch`` says. Nothing of the delivery is stored then.
    public func accept(_ delivery: AcceptedDelivery) async throws(BelfryError) -> [AcceptedEvent] {
        let bytes = delivery.items.reduce(0) { $0 + $1.event.data.bytes.count + 512 }
        return try await writer.perform(bytes: bytes, kind: .delivery) { [self] transaction in
            try checkIsCurrent(delivery.generation)
            return try transaction.accept(delivery)
        }
    }
}
