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
        /// Operations that wait for nothing.
        var urgent = 0
        var publications = 0
        var sleep = Sleep.awake
        var isClosed = false

        mutating func count(_ operation: WriteOperation, _ step: Int) {
            if !operation.waitsForCompany { urgent += step }
            if operation.kind == .publication { publications += step }
        }
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
            state.count(operation, 1)
            return (nil, Self.endSleep(&state, isDelta: operation.isDelta))
        }
        if let refusal { operation.fail(refusal) }
        if mustWake { wake.signal() }
    }

    /// Refuses what comes from now on; ``nextBatch(lastPatientCommit:)`` ends when the queue is empty.
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
    /// only such as wait for company and the last commit of only such ones is less than an interval ago; empty after
    /// ``Limits/diskCheckInterval`` without any. Nil when the queue is closed and empty. Only the writer's thread calls
    /// it.
    func nextBatch(lastPatientCommit: ContinuousClock.Instant?) -> [WriteOperation]? {
        while true {
            switch next(lastPatientCommit: lastPatientCommit) {
            case .batch(let operations): return operations
            case .end: return nil
            case .wait:
                sleep(until: .now + Limits.diskCheckInterval)
                if load.operations == 0 { return [] }
            case .waitUntil(let instant): sleep(until: instant)
            }
        }
    }

    private func next(lastPatientCommit: ContinuousClock.Instant?) -> Next {
        state.withLock { state in
            guard !state.operations.isEmpty else {
                if state.isClosed { return .end }
                state.sleep = .untilAnything
                return .wait
            }
            let interval =
                state.publications > 0 ? Limits.publicationCommitInterval : Limits.deltaCommitInterval
            if state.urgent == 0, !state.isClosed, state.operations.count < Limits.commitDeltasMax,
                let due = lastPatientCommit?.advanced(by: interval), ContinuousClock.now < due
            {
                state.sleep = .untilMoreThanDeltas
                return .waitUntil(due)
            }
            return .batch(Self.takeBatch(&state))
        }
    }

    private static func takeBatch(_ state: inout State) -> [WriteOperation] {
        var urgent = 0
        var patient = 0
        var bytes = 0
        let end =
            state.operations.firstIndex { operation in
                if operation.waitsForCompany { patient += 1 } else { urgent += 1 }
                if urgent > Limits.commitOperationsMax || patient > Limits.commitDeltasMax { return true }
                bytes += operation.bytes
                return false
            } ?? state.operations.endIndex
        let batch = Array(state.operations[..<end])
        state.operations.removeSubrange(..<end)
        state.bytes -= bytes
        for operation in batch { state.count(operation, -1) }
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
