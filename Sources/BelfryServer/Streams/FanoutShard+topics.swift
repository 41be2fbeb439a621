import BelfryCore
import BelfryEngine

/// Topics that come and go while a subscription is open.
extension FanoutShard {
    /// Adds topics: what they cover after `position` is delivered, but for what the subscriber got through others.
    func add(_ topics: [Topic], after position: Int64, to subscriber: Subscriber) {
        change(subscriber) { cursor in
            subscriber.topics.add(topics, after: position, cursor: cursor)
            subscriber.machine.rewind(to: position, head: head)
        }
    }

    func remove(_ topics: [Topic], from subscriber: Subscriber) {
        change(subscriber) { cursor in subscriber.topics.remove(topics, cursor: cursor) }
    }

    private func change(_ subscriber: Subscriber, _ change: (_ cursor: Int64) -> Void) {
        handOut(to: subscriber)
        guard let slot = subscriber.slot, let cursor = subscriber.machine.cursor(head: head) else { return }
        change(cursor)
        index.remove(slot)
        subscriber.slot = index.insert(subscriber, topics: subscriber.topics.topics)
        subscriber.isPageStale = subscriber.isReadingLog
        proceed(subscriber)
    }
}
