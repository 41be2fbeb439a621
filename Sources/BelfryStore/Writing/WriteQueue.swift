import BelfryCore
import Dispatch
import Synchronization

/// The bounded queue before the writer's thread.
///
/// The thread sleeps on a semaphore and is woken once, by the operation that finds it asleep. It also wakes now and then
/// to look at the disk.
final class WriteQueue: Sendable {
    /// What the sleeping thread wants to be woken for.
    private enum Sleep { case awake, untilAnything, untilMoreThanDeltas }

    private struct State {
        var operations: [WriteOperation] = []
        var bytes = 0
        var ordinary = 0
        var sleep = Sleep.awake
        var isClosed = false
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let operationsMax: Int
    private let bytesMax: Int

    /// The bounds of deliveries; the hub's own operations have as much again.
    init(operationsMax: Int, bytesMax: Int) {
        self.operationsMax = operationsMax
        self.bytesMax = bytesMax
    }

    /// Operations that wait, and their bytes.
    var load: (operations: Int, bytes: Int) { state.withLock { ($0.operations.count, $0.bytes) } }

    /// Takes an operation in, or fails it at once.
    func enqueue(_ operation: WriteOperation) {
        let (refusal, mustWake): (BelfryError?, Bool) = state.withLock { state in
            if state.isClosed { return (BelfryError(.shuttingDown, "the hub is shutting down"), false) }
            // A single operation larger than the whole bound may pass when nothing else waits.
            let share = operation.kind == .delivery ? 1 : 2
            let isFull =
                state.operations.count >= share * operationsMax
                || (state.bytes + operation.bytes > share * bytesMax && !state.operations.isEmpty)
            if isFull {
                return (BelfryError(.overloaded, "too much waits to be stored", retryAfter: .seconds(1)), false)
            }
            state.operations.append(operation)
            state.bytes += operation.bytes
            if !operation.isDelta { state.ordinary += 1 }
            return (nil, Self.endSleep(&state, isDelta: operation.isDelta))
        }
        if let refusal { operation.fail(refusal) }
        if mustWake { wake.signal() }
    }

    /// Refuses what comes from now on; ``nextBatch(lastDeltaCommit:)`` ends when the queue is empty.
    func close() {
        let mustWake = state.withLock { state in
            state.isClosed = true
            return Self.endSleep(&state, isDelta: false)
        }
        if mustWake { wake.signal() }
    }

    private static func endSleep(_ state: inout State, isDelta: Bool) -> Bool {
        switch state.sleep {
        case .awake: return false
        case .untilMoreThanDeltas where isDelta && state.operations.count < Limits.commitDeltasMax: return false
        case .untilAnything, .untilMoreThanDeltas:
            state.sleep = .awake
            return true
        }
    }

    private enum Next { case batch([WriteOperation]), wait, waitUntil(ContinuousClock.Instant), end }

    /// The operations of the next commit, in the order they came. Sleeps while there are none, and while there are
    /// only deltas and the last commit of only deltas is less than an interval ago; empty after
    /// ``Limits/diskCheckInterval`` without any. Nil when the queue is closed and empty. Only the writer's thread calls
    /// it.
    func nextBatch(lastDeltaCommit: ContinuousClock.Instant?) -> [WriteOperation]? {
        while true {
            switch next(lastDeltaCommit: lastDeltaCommit) {
            case .batch(let operations): return operations
            case .end: return nil
            case .wait:
                sleep(until: .now + Limits.diskCheckInterval)
                if load.operations == 0 { return [] }
            case .waitUntil(let instant): sleep(until: instant)
            }
        }
    }

    private func next(lastDeltaCommit: ContinuousClock.Instant?) -> Next {
        state.withLock { state in
            guard !state.operations.isEmpty else {
                if state.isClosed { return .end }
                state.sleep = .untilAnything
                return .wait
            }
            if state.ordinary == 0, !state.isClosed, state.operations.count < Limits.commitDeltasMax,
                let due = lastDeltaCommit?.advanced(by: Limits.deltaCommitInterval), ContinuousClock.now < due
            {
                state.sleep = .untilMoreThanDeltas
                return .waitUntil(due)
            }
            return .batch(Self.takeBatch(&state))
        }
    }

    private static func takeBatch(_ state: inout State) -> [WriteOperation] {
        var ordinary = 0
        var deltas = 0
        var bytes = 0
        let end =
            state.operations.firstIndex { operation in
                if operation.isDelta { deltas += 1 } else { ordinary += 1 }
                if ordinary > Limits.commitOperationsMax || deltas > Limits.commitDeltasMax { return true }
                bytes += operation.bytes
                return false
            } ?? state.operations.endIndex
        let batch = Array(state.operations[..<end])
        state.operations.removeSubrange(..<end)
        state.bytes -= bytes
        state.ordinary -= batch.count { !$0.isDelta }
        return batch
    }

    private func sleep(until instant: ContinuousClock.Instant) {
        let nanoseconds = (instant - .now).components.attoseconds / 1_000_000_000
        guard wake.wait(timeout: .now() + .nanoseconds(Int(max(0, nanoseconds)))) == .timedOut else { return }
        // Whoever ended the sleep in this very moment has signalled or will: take that signal in.
        let wasEnded = state.withLock { state in
            defer { state.sleep = .awake }
            return state.sleep == .awake
        }
        if wasEnded { wake.wait() }
    }
}
