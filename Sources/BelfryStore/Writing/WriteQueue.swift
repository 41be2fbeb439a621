import BelfryCore
import Dispatch
import Synchronization

/// The bounded queue before the writer's thread.
///
/// The thread sleeps on a semaphore and is woken once, by the operation that finds it asleep. It also wakes now and then
/// to look at the disk.
final class WriteQueue: Sendable {
    /// What the writer's thread knows of the commits before.
    struct LastCommits {
        /// When the last one began that held tokens.
        var deltaBegin: ContinuousClock.Instant?
        /// When the last one ended that held operations from outside, and nothing urgent.
        var end: ContinuousClock.Instant?
        /// Operations from outside that it held or that came meanwhile: if their callers come again, so many come.
        var company = 0

        func hadTokens(within duration: Duration) -> Bool {
            deltaBegin.map { $0.duration(to: .now) < duration } ?? false
        }
    }

    /// What the sleeping thread wants to be woken for.
    private enum Sleep: Equatable {
        case awake, untilAnything, untilMoreThanDeltas
        /// So many operations from outside, or something urgent.
        case untilCompany(Int)
    }

    private struct State {
        var operations: [WriteOperation] = []
        var bytes = 0
        /// Operations that wait for nothing.
        var urgent = 0
        var fromOutside = 0
        var sleep = Sleep.awake
        var isClosed = false

        mutating func count(_ operation: WriteOperation, _ step: Int) {
            if operation.kind == .transition { urgent += step }
            if operation.isFromOutside { fromOutside += step }
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
            return (nil, Self.endSleep(&state, for: operation))
        }
        if let refusal { operation.fail(refusal) }
        if mustWake { wake.signal() }
    }

    /// Refuses what comes from now on; ``nextBatch(after:)`` ends when the queue is empty.
    func close() {
        let mustWake = state.withLock { state in
            state.isClosed = true
            return Self.endSleep(&state, for: nil)
        }
        if mustWake { wake.signal() }
    }

    private static func endSleep(_ state: inout State, for operation: WriteOperation?) -> Bool {
        let isDelta = operation?.kind == .delta && state.operations.count < Limits.commitDeltasMax
        switch state.sleep {
        case .awake: return false
        case .untilMoreThanDeltas where isDelta: return false
        case .untilCompany(let count)
        where isDelta || operation?.isFromOutside == true && state.fromOutside < count: return false
        case .untilAnything, .untilMoreThanDeltas, .untilCompany:
            state.sleep = .awake
            return true
        }
    }

    private enum Next { case batch([WriteOperation]), wait, waitUntil(ContinuousClock.Instant), end }

    /// Operations from outside that wait.
    var fromOutside: Int { state.withLock { $0.fromOutside } }

    /// The operations of the next commit, in the order they came. Sleeps while there are none, and behind the last
    /// commits while there are only deltas, or such from outside and fewer than are expected; empty after
    /// ``Limits/diskCheckInterval`` without any. Nil when the queue is closed and empty. Only the writer's thread calls
    /// it.
    ///
    /// Deltas keep their distance beside deliveries too, which then pass them: each commit with deltas costs a write to
    /// every dashboard that watches. What is urgent passes nothing: a run's end stands behind its tokens.
    func nextBatch(after last: LastCommits) -> [WriteOperation]? {
        while true {
            switch next(after: last) {
            case .batch(let operations): return operations
            case .end: return nil
            case .wait:
                sleep(until: .now + Limits.diskCheckInterval)
                if load.operations == 0 { return [] }
            case .waitUntil(let instant): sleep(until: instant)
            }
        }
    }

    private func next(after last: LastCommits) -> Next {
        state.withLock { state in
            guard !state.operations.isEmpty else {
                if state.isClosed { return .end }
                state.sleep = .untilAnything
                return .wait
            }
            guard state.urgent == 0, !state.isClosed, state.operations.count < Limits.commitDeltasMax else {
                return .batch(Self.takeBatch(&state))
            }
            let now = ContinuousClock.now
            let deltasDue = last.deltaBegin.map { $0 + Limits.deltaCommitInterval } ?? now
            guard state.fromOutside > 0 else {
                if now >= deltasDue { return .batch(Self.takeBatch(&state)) }
                state.sleep = .untilMoreThanDeltas
                return .waitUntil(deltasDue)
            }
            let company = min(last.company, Limits.commitOperationsMax)
            let due = last.end.map { $0 + Limits.companyInterval } ?? now
            guard now < due, state.fromOutside < company else {
                return .batch(Self.takeBatch(&state, withDeltas: now >= deltasDue))
            }
            state.sleep = .untilCompany(company)
            return .waitUntil(due)
        }
    }

    private static func takeBatch(_ state: inout State, withDeltas: Bool = true) -> [WriteOperation] {
        var batch: [WriteOperation] = []
        var rest: [WriteOperation] = []
        var ordinary = 0
        var light = 0
        var isFull = false
        for operation in state.operations {
            guard !isFull, withDeltas || operation.kind != .delta else {
                rest.append(operation)
                continue
            }
            if operation.kind == .delta || operation.kind == .publication { light += 1 } else { ordinary += 1 }
            isFull = ordinary > Limits.commitOperationsMax || light > Limits.commitDeltasMax
            if isFull { rest.append(operation) } else { batch.append(operation) }
        }
        state.operations = rest
        for operation in batch {
            state.bytes -= operation.bytes
            state.count(operation, -1)
        }
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
