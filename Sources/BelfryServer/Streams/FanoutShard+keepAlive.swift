import BelfryCore
import BelfryEngine
import NIOCore

/// When whose keep-alive falls due: one tick a second, each connection in its own second of the interval.
struct KeepAliveWheel {
    static let seconds = UInt8(clamping: Limits.keepAliveInterval.components.seconds)
    /// Quiet intervals after which a client's cursor is refreshed.
    static let cursorIntervals = UInt8(
        clamping: Limits.cursorRefreshInterval.milliseconds / Limits.keepAliveInterval.milliseconds
    )

    private var second: UInt8 = 0
    private var members = [[Subscriber]](repeating: [], count: Int(seconds))
    /// Time since the wheel began to turn.
    private(set) var now = Duration.zero

    /// Goes on by a second.
    /// - Returns: who is due.
    mutating func tick() -> [Subscriber] {
        second = (second + 1) % Self.seconds
        now += .seconds(1)
        return members[Int(second)]
    }

    /// From now on a subscriber is due once in an interval, for the first time when a whole one has passed.
    mutating func insert(_ subscriber: Subscriber) {
        subscriber.wheelPlace = WheelPlace(second: second, index: Int32(members[Int(second)].count))
        members[Int(second)].append(subscriber)
    }

    /// Takes the last of its second into the place that becomes free.
    mutating func remove(_ subscriber: Subscriber) {
        let place = subscriber.wheelPlace
        guard let last = members[Int(place.second)].popLast(), last !== subscriber else { return }
        members[Int(place.second)][Int(place.index)] = last
        last.wheelPlace = place
    }
}

/// Where a subscriber stands in the wheel.
struct WheelPlace {
    var second: UInt8 = 0
    var index: Int32 = 0
}

extension FanoutShard {
    /// One timer for all connections of the loop; none while there are no connections.
    func startTimer() {
        guard timer == nil else { return }
        let shard = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in shard.value.tick() }
    }

    func stopTimer() {
        timer?.cancel()
        timer = nil
    }

    func tick() {
        let due = wheel.tick()
        reportDelivered()
        closeUnauthorized()
        for subscriber in due {
            if subscriber.isWritable { subscriber.sink?.keepAlive(head: head) }
            watch(subscriber)
        }
        for subscriber in blocked.values { look(at: subscriber) }
    }

    /// Looks at a subscriber every second as long as its connection takes nothing.
    func watch(_ subscriber: Subscriber) {
        guard subscriber.slot != nil, !subscriber.isWritable else { return }
        blocked[ObjectIdentifier(subscriber)] = subscriber
    }

    private func look(at subscriber: Subscriber) {
        if subscriber.isWritable {
            blocked[ObjectIdentifier(subscriber)] = nil
            // A channel says nothing when it was left with a single byte and is rid of it.
            proceed(subscriber)
        } else {
            let action = subscriber.machine.tick(untakenBytes: subscriber.untakenBytes, now: wheel.now)
            perform(action, for: subscriber)
        }
    }
}
