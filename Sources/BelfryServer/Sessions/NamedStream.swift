import BelfryCore
import BelfryEngine
import Synchronization

/// An event stream that its client has named. Its topics may change while it is open, and outlive a disconnect.
///
/// A topic that was added on the way begins where it was told to, not where the client says it stands: until the client
/// comes back with a position behind ``Entry/mark`` nobody knows what of it has arrived. Several clients may use the
/// name, one after the other, and each comes back with ids of its own connections. So the mark stands behind all ids that
/// any connection was sent without the topic, and never goes back.
final class NamedStream: Sendable {
    private struct Entry {
        let topic: Topic
        /// Its frames after this position are wanted.
        let from: Int64
        /// Ids up to here were sent before its frames could be: a client that says one of them may not have its
        /// history. Nil: it began with the stream.
        var mark: Int64?
        /// The change that added it; 0: it began with the stream.
        var change = 0
    }

    /// A connection that may still be sent something, also one that was taken over.
    private struct Connection {
        /// The last change that its topics come of.
        var change: Int
        /// Ids up to here it was sent with its first bytes.
        let begin: Int64
    }

    private struct State {
        /// What the address asked for.
        var asked: [Topic]
        /// Who opened the connection there is, or the last one: what this one may not see does not go there.
        var opener: Principal
        /// The one there is, or the last one.
        var current: ObjectIdentifier?
        var connections: [ObjectIdentifier: Connection] = [:]
        var entries: [Entry]
        /// To be taken from the connection, also those that were added again since.
        var removed: [Topic] = []
        /// How often it was changed.
        var changes = 0
    }

    let name: String
    let session: StreamSession
    private let state: Mutex<State>

    init(name: String, topics: [Topic], opener: Principal, clock: WallClock) {
        self.name = name
        session = StreamSession(clock: clock)
        state = Mutex(State(asked: topics, opener: opener, entries: Self.entries(topics)))
    }

    private static func entries(_ topics: [Topic]) -> [Entry] { topics.map { Entry(topic: $0, from: 0, mark: nil) } }

    var topics: [Topic] { state.withLock { $0.entries.map(\.topic) } }
    fileprivate var changes: Int { state.withLock { $0.changes } }

    // MARK: - Coming back

    /// A client opens it again. An address with the same topics as before, or with none, goes on with what they were
    /// changed to; one with others begins anew with those.
    /// - Throws: `forbidden` if they were changed to more than a ticket for some topics may see.
    func reopen(topics: [Topic], by opener: Principal) throws(BelfryError) {
        try state.withLock { state throws(BelfryError) in
            guard !topics.isEmpty, Set(topics) != Set(state.asked) else {
                for entry in state.entries { try opener.checkSubscribe(to: entry.topic) }
                return
            }
            state.asked = topics
            state.entries = Self.entries(topics)
        }
    }

    /// The topics that begin with the client, at its position; the others are added once it is connected.
    /// - Parameter position: nil for a client that begins anew, with the state so far: then all do.
    func topicsToBegin(after position: Int64?) -> [Topic] {
        state.withLock { state in
            guard let position else { return state.entries.map(\.topic) }
            // Whoever was not brought up to a change may be sent ids behind the mark of what it added.
            let settled = state.connections.values.map(\.change).min() ?? state.changes
            return state.entries.filter { entry in
                entry.mark.map { $0 < position && entry.change <= settled } ?? true
            }.map(\.topic)
        }
    }

    /// A connection takes it over, before its session hears of it.
    /// - Parameter known: the changes that its topics come of: what a later one added again, it holds as it was before.
    func connected(_ subscriber: Subscriber, by opener: Principal, knowing known: Int) {
        state.withLock { state in
            state.opener = opener
            state.current = ObjectIdentifier(subscriber)
            state.connections[ObjectIdentifier(subscriber)] = Connection(
                change: known, begin: subscriber.topics.filterEnd)
            state.removed = state.entries.filter { $0.change > known }.map(\.topic)
        }
    }

    /// A connection is gone: nothing is sent to it any more.
    /// - Parameter head: it was sent no id behind it, but with its first bytes.
    func ended(_ subscriber: Subscriber, head: Int64) {
        state.withLock { state in
            guard let connection = state.connections.removeValue(forKey: ObjectIdentifier(subscriber)) else { return }
            let sent = max(head, connection.begin)
            for (index, entry) in state.entries.enumerated() where entry.change > connection.change {
                state.entries[index].mark = max(entry.mark ?? sent, sent)
            }
        }
    }

    // MARK: - Changing

    /// Changes the topics; those that stay are left as they are. Call ``settle(_:)`` for the connection there is.
    /// - Parameters:
    ///   - after: frames of added topics after this position are wanted.
    ///   - head: the last position of the log.
    /// - Throws: `forbidden` for what whoever opened the stream may not see, `conflict` if there would be too many.
    func change(_ change: TopicChange, after: Int64, head: Int64) throws(BelfryError) {
        try state.withLock { state throws(BelfryError) in
            let held = state.entries.map(\.topic)
            let removed = change.removed(from: held)
            let stay = state.entries.filter { !removed.contains($0.topic) }
            let added = change.added.filter { topic in !stay.contains { $0.topic == topic } }
            for topic in added { try state.opener.checkSubscribe(to: topic) }
            guard stay.count + added.count <= Limits.topicsPerSubscriptionMax else {
                throw BelfryError(.conflict, "a stream has at most \(Limits.topicsPerSubscriptionMax) topics")
            }
            state.changes += 1
            state.entries = stay + added.map { Entry(topic: $0, from: after, mark: head, change: state.changes) }
            // Without a connection nobody empties it, and nobody needs it.
            state.removed = session.isConnected ? state.removed + removed.filter { !state.removed.contains($0) } : []
        }
    }

    /// Makes a connection's topics those of the stream, as far as whoever opened it may see them. On its loop.
    func settle(_ place: StreamSession.Place) {
        let (shard, subscriber) = place
        let change: (wanted: [Entry], removed: [Topic], number: Int)? = state.withLock { state in
            // Another has taken over, and does so itself.
            guard state.current == ObjectIdentifier(subscriber) else { return nil }
            defer { state.removed = [] }
            return (state.entries.filter { state.opener.maySubscribe(to: $0.topic) }, state.removed, state.changes)
        }
        guard let (wanted, removed, number) = change else { return }
        let gone = subscriber.topics.topics.filter { topic in
            removed.contains(topic) || !wanted.contains { $0.topic == topic }
        }
        if !gone.isEmpty { shard.remove(gone, from: subscriber) }
        guard let cursor = subscriber.machine.cursor(head: shard.head) else { return }
        let held = subscriber.topics.topics
        let missing = Dictionary(grouping: wanted.filter { !held.contains($0.topic) }, by: \.from)
        let sent = max(cursor, subscriber.topics.historyEnd)
        settled(subscriber, number, sent: sent, without: missing.values.flatMap { $0.map(\.topic) })
        for (from, entries) in missing {
            guard subscriber.topics.windowCount + entries.count <= Limits.topicChangesMax else {
                // It comes back from its own position, with the topics that there are then.
                return shard.close(subscriber, .overloaded)
            }
            shard.add(entries.map(\.topic), after: from, to: subscriber)
        }
    }

    /// A connection is brought up to a change: ids up to `sent` it was sent without these topics.
    private func settled(_ subscriber: Subscriber, _ change: Int, sent: Int64, without topics: [Topic]) {
        state.withLock { state in
            state.connections[ObjectIdentifier(subscriber)]?.change = change
            for (index, entry) in state.entries.enumerated() where topics.contains(entry.topic) {
                state.entries[index].mark = max(entry.mark ?? sent, sent)
            }
        }
    }
}

/// A connection on its way to a named stream.
final class NamedStreamOpening: Sendable {
    let stream: NamedStream
    private let opener: Principal
    private let changes: Int

    /// To be made before it is asked which topics begin.
    init(of stream: NamedStream, by opener: Principal) {
        self.stream = stream
        self.opener = opener
        changes = stream.changes
    }

    func connected(_ subscriber: Subscriber) { stream.connected(subscriber, by: opener, knowing: changes) }

    func ended(_ subscriber: Subscriber, head: Int64) { stream.ended(subscriber, head: head) }
}

/// What a client wants of a stream's topics.
enum TopicChange: Sendable, Equatable {
    case replace([Topic])
    /// First what goes, then what comes: a topic in both begins anew.
    case edit(add: [Topic], remove: [Topic])

    var added: [Topic] {
        switch self {
        case .replace(let topics): topics
        case .edit(let add, _): add
        }
    }

    func removed(from held: [Topic]) -> [Topic] {
        switch self {
        case .replace(let topics): held.filter { !topics.contains($0) }
        case .edit(_, let remove): held.filter(remove.contains)
        }
    }
}
