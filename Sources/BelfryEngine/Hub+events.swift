public import BelfryCore
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

    /// What became of its matches, when it was last matched.
    public func matches(of event: EventRecord) async throws(BelfryError) -> [MatchRecord] {
        let matches = try await store.matches(of: event.summary.id)
        let last = matches.last?.round
        return matches.filter { $0.round == last }
    }
}
