public import BelfryCore

/// Who wants which frames. Handing out a frame costs its own subscribers only, however many others there are.
///
/// Not safe for use by several threads: each shard has its own. Inlinable, so that it is specialised where it is used.
public struct TopicIndex<Subscriber> {
    /// Names a subscriber inside the index; used again after its removal.
    public struct Slot: Hashable, Sendable {
        @usableFromInline let index: Int32

        @inlinable
        init(index: Int32) { self.index = index }
    }

    @usableFromInline
    struct Membership {
        @usableFromInline let topic: Topic
        /// Where the subscriber stands in the list of the topic.
        @usableFromInline var place: Int32

        @inlinable
        init(topic: Topic, place: Int32) {
            self.topic = topic
            self.place = place
        }
    }

    // By slot; apart, because handing out touches the first two alone.
    @usableFromInline var subscribers: [Subscriber?] = []
    /// The last hand-out that reached each: who has several fitting topics is still reached once, and who is passed over
    /// never. Numbers beside each other: to pass over many costs little.
    @usableFromInline var visits: [UInt64] = []
    @usableFromInline var memberships: [[Membership]] = []
    @usableFromInline var freeSlots: [Int32] = []
    @usableFromInline var lists: [Topic: [Int32]] = [:]
    @usableFromInline var visit: UInt64 = 0

    @usableFromInline var members = 0

    @inlinable public var count: Int { members }

    @inlinable
    public init() {}

    /// Adds a subscriber; repeated topics count once.
    @inlinable
    public mutating func insert(_ subscriber: Subscriber, topics: [Topic]) -> Slot {
        let index: Int32
        if let free = freeSlots.popLast() {
            index = free
            visits[Int(index)] = 0
        } else {
            index = Int32(subscribers.count)
            subscribers.append(nil)
            visits.append(0)
            memberships.append([])
        }
        var joined: [Membership] = []
        joined.reserveCapacity(topics.count)
        for topic in topics where !joined.contains(where: { $0.topic == topic }) {
            let place = lists[topic, default: []].count
            lists[topic, default: []].append(index)
            joined.append(Membership(topic: topic, place: Int32(place)))
        }
        subscribers[Int(index)] = subscriber
        memberships[Int(index)] = joined
        members += 1
        return Slot(index: index)
    }

    /// Removes a subscriber; a slot that is free already is ignored.
    @inlinable
    public mutating func remove(_ slot: Slot) {
        let index = Int(slot.index)
        guard subscribers[index] != nil else { return }
        for membership in memberships[index] { leave(membership) }
        memberships[index] = []
        subscribers[index] = nil
        freeSlots.append(slot.index)
        members -= 1
    }

    /// Hand-outs pass over a subscriber from now on, or reach it again.
    @inlinable
    public mutating func setPassedOver(_ slot: Slot, _ isPassedOver: Bool) {
        visits[Int(slot.index)] = isPassedOver ? .max : 0
    }

    /// Calls `body` once for each subscriber that has a topic which covers `frame` and is not passed over.
    @inlinable
    public mutating func forEachSubscriber(of frame: DraftFrame, _ body: (Subscriber) -> Void) {
        visit += 1
        if let run = frame.run {
            reach(.run(run), body)
            reach(.everyRun, body)
        }
        switch frame.topic {
        // Covered by the frame's run alone (``Topic/covers(_:)``).
        case .run, .everyRun: break
        case .runs:
            reach(.runs, body)
            if let rule = frame.rule { reach(.rule(rule), body) }
        // No frame has its home there: it is a filter over `runs`.
        case .rule, .everySource: break
        case .source:
            reach(frame.topic, body)
            reach(.everySource, body)
        case .approvals, .rules, .alerts, .custom: reach(frame.topic, body)
        }
    }

    /// Calls `body` for every subscriber.
    @inlinable
    public func forEach(_ body: (Subscriber) -> Void) {
        for case let subscriber? in subscribers { body(subscriber) }
    }

    @inlinable
    mutating func reach(_ topic: Topic, _ body: (Subscriber) -> Void) {
        guard let list = lists[topic] else { return }
        for index in list {
            let index = Int(index)
            guard visits[index] < visit, let subscriber = subscribers[index] else { continue }
            visits[index] = visit
            body(subscriber)
        }
    }

    /// Takes the last of the topic's list into the place that becomes free.
    @inlinable
    mutating func leave(_ membership: Membership) {
        guard let last = lists[membership.topic]?.popLast() else { return }
        if lists[membership.topic]?.isEmpty == true { lists[membership.topic] = nil }
        guard Int(membership.place) < lists[membership.topic]?.count ?? 0 else { return }
        lists[membership.topic]?[Int(membership.place)] = last
        let moved = memberships[Int(last)].firstIndex { $0.topic == membership.topic }
        if let moved { memberships[Int(last)][moved].place = membership.place }
    }
}
