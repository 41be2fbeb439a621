import BelfryCore
import Synchronization

/// What waits for one loop: batches that were published since its last turn. At most one wake-up is under way.
final class ShardMailbox: Sendable {
    private struct State {
        var waiting: [FrameBatch] = []
        var waitingBytes = 0
        var isWakeUpPending = false
        /// More came than may wait: the subscribers read it from ring or log.
        var isOverrun = false
        var subscribers = 0
        /// Up to here batches were published.
        var head: Int64 = 0
    }

    /// What a turn has to do.
    struct Delivery {
        var batches: [FrameBatch]
        var isOverrun: Bool
        var head: Int64
    }

    private let state = Mutex(State())

    /// What comes from now on stands after `head`.
    func begin(at head: Int64) { state.withLock { $0.head = head } }

    /// Adds a batch.
    /// - Returns: whether the loop must be woken.
    func put(_ batch: FrameBatch) -> Bool {
        state.withLock { state in
            state.head = batch.through
            guard state.subscribers > 0 else { return false }
            if state.isOverrun || state.waitingBytes > Limits.ringBytesMax {
                state.waiting = []
                state.isOverrun = true
            } else {
                state.waiting.append(batch)
                state.waitingBytes += batch.bytesEstimate
            }
            defer { state.isWakeUpPending = true }
            return !state.isWakeUpPending
        }
    }

    func take() -> Delivery {
        state.withLock { state in
            defer {
                state.waiting = []
                state.waitingBytes = 0
                state.isOverrun = false
                state.isWakeUpPending = false
            }
            return Delivery(batches: state.waiting, isOverrun: state.isOverrun, head: state.head)
        }
    }

    /// A subscriber joins.
    /// - Returns: the head to begin from, if this is the first: without subscribers nothing waits here.
    func join() -> Int64? {
        state.withLock { state in
            state.subscribers += 1
            return state.subscribers == 1 ? state.head : nil
        }
    }

    /// A subscriber leaves. With the last one goes what waits: nobody is there to miss it, and who joins next begins
    /// at the head, not behind a hole.
    func leave() {
        state.withLock { state in
            state.subscribers -= 1
            guard state.subscribers == 0 else { return }
            state.waiting = []
            state.waitingBytes = 0
            state.isOverrun = false
        }
    }

    var subscribers: Int { state.withLock { $0.subscribers } }
}
