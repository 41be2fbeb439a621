public import BelfryCore

/// The topics of one subscription: from where each is wanted, and up to where it was delivered.
///
/// Topics may come while the subscription is under way. The cursor of ``SubscriptionStateMachine`` then goes back to
/// where the new ones begin and passes frames that came for others already. So a frame is wanted if a topic that covers
/// it begins before it, and none that covers it has delivered it. Behind ``filterEnd`` all that is covered is wanted.
///
/// What was delivered for a topic is forgotten with the topic, once the cursor has passed it.
public struct SubscriptionTopics: Sendable {
    private struct Window: Sendable {
        let topic: Topic
        /// Frames after it are wanted, and those up to `through` were delivered.
        let from: Int64
        var through: Int64
        /// False: it only says what was delivered.
        var isWanted = true
        /// Up to here the subscriber knows what is gone.
        var told: Int64 = 0
    }

    /// Topics of which frames are gone, of some after `from` and of none after `through`.
    public struct Holes: Sendable, Equatable {
        public var topics: [Topic]
        public var from: Int64
        public var through: Int64

        public init(topics: [Topic], from: Int64, through: Int64) {
            self.topics = topics
            self.from = from
            self.through = through
        }
    }

    private var windows: [Window]
    /// Behind this position a frame is wanted if a topic covers it; there is no more to look at.
    public private(set) var filterEnd: Int64
    /// What is delivered up to here is history: the cursor has been past it before.
    public private(set) var historyEnd: Int64 = 0

    /// - Parameter position: frames after it are wanted.
    public init(_ topics: [Topic], after position: Int64) {
        windows = []
        filterEnd = position
        add(topics, after: position, cursor: position)
    }

    /// Each once.
    public var topics: [Topic] { windows.compactMap { $0.isWanted ? $0.topic : nil } }

    public var isEmpty: Bool { !windows.contains(where: \.isWanted) }

    /// All that is remembered, also of topics that are gone.
    public var windowCount: Int { windows.count }

    /// Whether the cursor, when it passes this frame, delivers it.
    public func wants(_ frame: Frame) -> Bool {
        guard frame.position <= filterEnd else {
            return windows.contains { $0.isWanted && $0.topic.covers(frame.draft) }
        }
        var isWanted = false
        for window in windows where window.from < frame.position && window.topic.covers(frame.draft) {
            if frame.position <= window.through { return false }
            isWanted = isWanted || window.isWanted
        }
        return isWanted
    }

    /// Adds topics, whose frames after `position` are wanted. One that is there already stays as it is, or now begins
    /// earlier. The cursor must then go back to `position` if it is past it.
    /// - Parameter cursor: everything up to here was considered.
    public mutating func add(_ topics: [Topic], after position: Int64, cursor: Int64) {
        settle(cursor)
        if position < cursor { historyEnd = max(historyEnd, cursor) }
        for topic in topics {
            if let index = windows.firstIndex(where: { $0.isWanted && $0.topic == topic }) {
                guard position < windows[index].from else { continue }
                windows[index].isWanted = false
            } else {
                // It was taken away, and what it had delivered with it.
                windows.removeAll { $0.topic == topic }
            }
            windows.append(Window(topic: topic, from: position, through: position))
        }
        filterEnd = windows.reduce(position) { max($0, $1.through) }
    }

    /// Takes topics away; one that is not there is ignored.
    /// - Parameter cursor: everything up to here was considered.
    public mutating func remove(_ topics: [Topic], cursor: Int64) {
        for index in windows.indices where topics.contains(windows[index].topic) { windows[index].isWanted = false }
        settle(cursor)
    }

    /// What the subscriber must be told before it goes on behind the cursor; nil if it misses nothing, or knows it. Who
    /// wants all that is kept does not miss what was gone before it began.
    /// - Parameter floors: for topics of which frames behind the cursor are gone, up to which position.
    public mutating func holes(_ floors: [Topic: Int64], cursor: Int64) -> Holes? {
        var holes: Holes?
        for index in windows.indices where windows[index].isWanted {
            let known = max(windows[index].through, windows[index].told, cursor)
            guard let floor = floors[windows[index].topic], floor > known else { continue }
            windows[index].told = floor
            guard known > 0 else { continue }
            var found = holes ?? Holes(topics: [], from: known, through: floor)
            found.topics.append(windows[index].topic)
            found.from = min(found.from, known)
            found.through = max(found.through, floor)
            holes = found
        }
        return holes
    }

    private mutating func settle(_ cursor: Int64) {
        for index in windows.indices where windows[index].isWanted {
            windows[index].through = max(windows[index].through, cursor)
        }
        windows.removeAll { !$0.isWanted && $0.through <= cursor }
    }
}
