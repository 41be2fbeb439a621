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

    private(set) var second: UInt8 = 0
    /// Time since the wheel began to turn.
    private(set) var now = Duration.zero

    mutating func tick() {
        second = (second + 1) % Self.seconds
        now += .seconds(1)
    }

    /// The second in which a connection that joins now is due: a whole interval from now.
    func nextPhase() -> UInt8 { second }
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
        wheel.tick()
        closeUnauthorized()
        // Gathered first: writing can close a connection, which then leaves the index.
        var due: [Subscriber] = []
        index.forEach { subscriber in
            if subscriber.phase == wheel.second || !subscriber.isWritable { due.append(subscriber) }
        }
        for subscriber in due {
            if subscriber.isWritable {
                subscriber.sink?.keepAlive(head: head)
            } else {
                let action = subscriber.machine.tick(unsentBytes: subscriber.unsentBytes, now: wheel.now)
                perform(action, for: subscriber)
            }
        }
    }
}
