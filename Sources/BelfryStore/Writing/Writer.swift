import BelfryCore
import Foundation
import GRDB
import Logging
import Synchronization

/// The one thread that writes: it drains the queue into transactions, commits each with one fsync for all of its
/// operations, hands the frames on, and only then tells the callers.
///
/// **Architecture Invariant**: nothing else writes to the database once the thread runs, and nobody is told of
/// success before COMMIT has returned.
final class Writer: Sendable {
    struct Settings: Sendable {
        var clock: WallClock
        var walBytesMax: Int
        var pageBytes: Int
        var position: Int64
        var auditHead: AuditHead
        /// Of the data folder's disk; nil if it can't be said.
        var diskSpace: @Sendable () -> DiskSpace?
    }

    private struct Ending {
        var hasEnded = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    let pool: DatabasePool
    private let queue = WriteQueue(
        operationsMax: Limits.deliveriesWaitingMax, bytesMax: Limits.deliveriesWaitingBytesMax
    )
    private let settings: Settings
    private let logger: Logger
    private let onCommit: @Sendable (CommittedBatch) -> Void
    private let headPosition: Mutex<Int64>
    private let counters = Mutex(StoreStatistics())
    private let ending = Mutex(Ending())

    init(
        pool: DatabasePool, settings: Settings, logger: Logger, onCommit: @escaping @Sendable (CommittedBatch) -> Void
    ) {
        self.pool = pool
        self.settings = settings
        self.logger = logger
        self.onCommit = onCommit
        headPosition = Mutex(settings.position)
    }

    /// The last committed position.
    var head: Int64 { headPosition.withLock { $0 } }

    var statistics: StoreStatistics {
        var statistics = counters.withLock { $0 }
        (statistics.operationsWaiting, statistics.bytesWaiting) = queue.load
        return statistics
    }

    /// - Parameter lock: Held as long as the thread may write.
    func start(holding lock: FolderLock) {
        let thread = Thread { [self] in
            var loop = WriterLoop(settings: settings, pool: pool, logger: logger)
            var last = WriteQueue.LastCommits()
            while let batch = queue.nextBatch(after: last) {
                if !batch.isEmpty {
                    let begin = ContinuousClock.now
                    let outcome = loop.commit(batch)
                    if batch.contains(where: { $0.kind == .delta }) { last.deltaBegin = begin }
                    let fromOutside = batch.count(where: \.isFromOutside)
                    if fromOutside > 0, !batch.contains(where: { $0.kind == .transition }) {
                        last.end = .now
                        last.company = fromOutside + queue.fromOutside
                    }
                    conclude(outcome)
                    loop.checkpointIfDue(areTokensComing: last.hadTokens(within: .seconds(1)))
                    note(loop)
                }
                if let outcome = loop.watchDisk() { conclude(outcome) }
            }
            loop.end()
            withExtendedLifetime(lock) {}
            let waiters = ending.withLock { ending in
                ending.hasEnded = true
                defer { ending.waiters = [] }
                return ending.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
        thread.name = "belfry.writer"
        thread.stackSize = 4 * 1024 * 1024
        thread.start()
    }

    /// In this order: the head, the frames, the callers. A subscriber that reads the head and then registers, or the
    /// other way round, sees each frame in the log or in a batch, some in both, none in neither.
    private func conclude(_ outcome: WriterLoop.Outcome) {
        counters.withLock { counters in
            counters.operations += Int64(outcome.replies.count)
            counters.commits += outcome.isCommitted ? 1 : 0
            counters.failedCommits += outcome.isCommitted ? 0 : 1
            counters.frames += Int64(outcome.batch.frames.count)
            counters.commitDuration += outcome.commitDuration
        }
        if outcome.isCommitted {
            headPosition.withLock { $0 = outcome.batch.head }
            if outcome.batch.isWorthTelling { onCommit(outcome.batch) }
        }
        for reply in outcome.replies { reply() }
    }

    private func note(_ loop: WriterLoop) {
        counters.withLock { counters in
            counters.walBytes = Int64(loop.walBytes)
            counters.checkpoints = loop.checkpoints
        }
    }

    /// Takes nothing in any more; the thread commits what waits and ends.
    func stop() { queue.close() }

    /// Stops, and waits for the end.
    func close() async {
        stop()
        await withCheckedContinuation { continuation in
            let hasEnded = ending.withLock { ending in
                if !ending.hasEnded { ending.waiters.append(continuation) }
                return ending.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    // MARK: Callers

    /// Runs `body` in the next batch and returns its value when it is on disk.
    func perform<Value: Sendable>(
        bytes: Int = 0, kind: WriteOperation.Kind = .transition,
        _ body: @escaping @Sendable (WriteTransaction) throws -> Value
    ) async throws(BelfryError) -> Value {
        let result: Result<Value, BelfryError> = await withCheckedContinuation { continuation in
            queue.enqueue(
                WriteOperation(
                    bytes: bytes, kind: kind,
                    perform: { transaction in
                        let value = try body(transaction)
                        return { continuation.resume(returning: .success(value)) }
                    },
                    fail: { continuation.resume(returning: .failure($0)) }
                )
            )
        }
        return try result.get()
    }

    /// Runs `body` in a batch that is written anyway, or soon; nobody waits for it.
    func post(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Void,
        ended: @escaping @Sendable (BelfryError?) -> Void = { _ in }
    ) {
        queue.enqueue(
            WriteOperation(
                bytes: 0, kind: .delta,
                perform: { transaction in
                    try body(transaction)
                    return { ended(nil) }
                },
                fail: { ended($0) }
            )
        )
    }
}

extension CommittedBatch {
    fileprivate var isWorthTelling: Bool {
        !frames.isEmpty || hasQueuedRuns || hasRuleChanges || !stops.isEmpty || !wakes.isEmpty
            || earliestTimer != nil
    }
}
