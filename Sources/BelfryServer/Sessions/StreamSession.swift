import BelfryCore
import BelfryEngine
import NIOCore
import Synchronization

/// What outlives the connections of one stream: it has one at a time, and knows since when it has none.
final class StreamSession: Sendable {
    /// The shard of a connection's loop, and its subscriber there.
    typealias Place = (shard: FanoutShard, subscriber: Subscriber)

    private struct Connection {
        let id: ObjectIdentifier
        let place: NIOLoopBound<Place>
    }

    private struct State {
        var connection: Connection?
        /// When it last had one, or was made.
        var seen: Timestamp
    }

    private let clock: WallClock
    private let state: Mutex<State>

    init(clock: WallClock) {
        self.clock = clock
        state = Mutex(State(seen: clock.now()))
    }

    var isConnected: Bool { state.withLock { $0.connection != nil } }

    /// When it is forgotten; nil while it has a connection.
    var end: Timestamp? {
        state.withLock { $0.connection == nil ? $0.seen + Limits.streamSessionRetention : nil }
    }

    func isOver(at now: Timestamp) -> Bool { end.map { $0 <= now } ?? false }

    /// A connection takes it over; the one before is closed. To be called on the connection's loop.
    func began(_ subscriber: Subscriber, on shard: FanoutShard) {
        let connection = Connection(
            id: ObjectIdentifier(subscriber), place: NIOLoopBound((shard, subscriber), eventLoop: shard.loop)
        )
        let former = state.withLock { state in
            defer { state.connection = connection }
            return state.connection
        }
        guard let former else { return }
        former.place.eventLoop.execute {
            let (shard, subscriber) = former.place.value
            shard.close(subscriber, .replaced)
        }
    }

    /// The connection is gone. Does nothing if another has taken over, or if it was said already.
    func ended(_ subscriber: Subscriber) {
        let now = clock.now()
        state.withLock { state in
            guard state.connection?.id == ObjectIdentifier(subscriber) else { return }
            state.connection = nil
            state.seen = now
        }
    }

    /// Does something to the connection there is, on its loop.
    func withConnection(_ body: @escaping @Sendable (Place) -> Void) async {
        guard let place = state.withLock({ $0.connection?.place }) else { return }
        // Fails only when the loops are gone, and with them the connection.
        try? await place.eventLoop.submit { body(place.value) }.get()
    }
}
