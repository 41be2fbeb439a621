import BelfryCore
import Synchronization

@testable import BelfryEngine

/// A clock that a test moves.
final class SteppedClock: Sendable {
    private let time = Mutex(WallClock.system.now())

    var now: Timestamp { time.withLock { $0 } }

    func set(to time: Timestamp) { self.time.withLock { $0 = max($0, time) } }
}

extension TestHub {
    /// Moves the hub's clock forward, and has it look what is due.
    func set(_ clock: SteppedClock, to time: Timestamp) {
        clock.set(to: time)
        hub.timers.note(Timestamp(milliseconds: 0))
    }
}
