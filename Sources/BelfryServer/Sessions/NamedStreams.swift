import BelfryCore
import Synchronization

/// The named streams of all who are asking: each sees its own. In memory, forgotten some time after their last
/// disconnect.
final class NamedStreams: Sendable {
    private struct Key: Hashable {
        let owner: TokenID?
        let name: String
    }

    private struct State {
        var streams: [Key: NamedStream] = [:]
        var counts: [TokenID?: Int] = [:]

        func isFull(for owner: TokenID?) -> Bool {
            streams.count >= Limits.namedStreamsMax || counts[owner, default: 0] >= Limits.namedStreamsPerTokenMax
        }

        mutating func remove(where isGone: (Key, NamedStream) -> Bool) {
            for (key, stream) in streams where isGone(key, stream) {
                streams[key] = nil
                counts[key.owner, default: 1] -= 1
                if counts[key.owner] == 0 { counts[key.owner] = nil }
            }
        }
    }

    private let clock: WallClock
    private let state = Mutex(State())

    init(clock: WallClock) { self.clock = clock }

    /// The stream of this name, made if there is none.
    /// - Throws: `too_many_requests` if the principal, or all together, have too many; `forbidden` for one with topics
    ///   that the principal may not see.
    func open(_ name: String, topics: [Topic], by principal: Principal) throws(BelfryError) -> NamedStream {
        let key = Key(owner: principal.token, name: name)
        let now = clock.now()
        return try state.withLock { state throws(BelfryError) in
            if let stream = state.streams[key], !stream.session.isOver(at: now) {
                try stream.reopen(topics: topics, by: principal)
                return stream
            }
            state.remove { $0 == key && $1.session.isOver(at: now) }
            if state.isFull(for: key.owner) { state.remove { $1.session.isOver(at: now) } }
            guard !state.isFull(for: key.owner) else {
                throw BelfryError(
                    .tooManyRequests,
                    "there are too many named streams; one is forgotten \(Limits.streamSessionRetention.components.seconds / 60) minutes "
                        + "after its last disconnect. Open streams without a name",
                    retryAfter: .seconds(60)
                )
            }
            let stream = NamedStream(name: name, topics: topics, opener: principal, clock: clock)
            state.streams[key] = stream
            state.counts[key.owner, default: 0] += 1
            return stream
        }
    }

    /// The principal's stream of this name.
    /// - Throws: `not_found`.
    func find(_ name: String, of principal: Principal) throws(BelfryError) -> NamedStream {
        let stream = state.withLock { $0.streams[Key(owner: principal.token, name: name)] }
        guard let stream, !stream.session.isOver(at: clock.now()) else {
            throw BelfryError(
                .notFound, "there is no stream of this name; it is opened by GET /v1/stream?stream=NAME&topic=TOPIC")
        }
        return stream
    }

    /// The principal's streams, by name.
    func all(of principal: Principal) -> [NamedStream] {
        let now = clock.now()
        let own = state.withLock { state in state.streams.filter { $0.key.owner == principal.token }.map(\.value) }
        return own.filter { !$0.session.isOver(at: now) }.sorted { $0.name < $1.name }
    }
}
