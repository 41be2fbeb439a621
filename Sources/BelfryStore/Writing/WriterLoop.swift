import BelfryCore
import Foundation
import GRDB
import GRDBSQLite
import Logging

/// What the writer's thread keeps from one batch to the next. Never leaves that thread.
struct WriterLoop {
    struct Outcome {
        var isCommitted: Bool
        var batch: CommittedBatch
        /// What tells each caller how it ended.
        var replies: [@Sendable () -> Void]
        var commitDuration: Duration
    }

    /// Where SQLite's hook leaves the length of the write-ahead log.
    private final class WalLength { var pages = 0 }

    private let settings: Writer.Settings
    private let pool: DatabasePool
    private let logger: Logger
    private let walLength = WalLength()
    /// The last position that was given; what a failed commit was given is not given again.
    private var position: Int64
    /// The last position that is on disk: what subscribers may be shown.
    private var committedHead: Int64
    private var auditHead: AuditHead
    private var sweep = Sweep()
    private(set) var checkpoints: Int64 = 0
    /// How long the log was when a reader stood in the way of its new start; 0 after one that succeeded.
    private var blockedBytes = 0
    private var lastRescue: ContinuousClock.Instant?
    private var disk = DiskWatch()
    private var lastDiskCheck: ContinuousClock.Instant?

    var walBytes: Int { walLength.pages * settings.pageBytes }

    init(settings: Writer.Settings, pool: DatabasePool, logger: Logger) {
        self.settings = settings
        self.pool = pool
        self.logger = logger
        position = settings.position
        committedHead = settings.position
        auditHead = settings.auditHead
        let context = Unmanaged.passUnretained(walLength).toOpaque()
        pool.writeWithoutTransaction { db in
            // Replaces SQLite's own hook, which would checkpoint inside a commit; GRDB shows no such count.
            _ = sqlite3_wal_hook(
                db.sqliteConnection,
                { context, _, _, pages in
                    if let context {
                        Unmanaged<WalLength>.fromOpaque(context).takeUnretainedValue().pages = Int(pages)
                    }
                    return SQLITE_OK
                },
                context
            )
        }
    }

    // MARK: A batch

    mutating func commit(_ operations: [WriteOperation]) -> Outcome {
        do {
            return try attempt(operations, withSavepoints: false)
        } catch is WriteTransaction.MustRepeat {
            do {
                return try attempt(operations, withSavepoints: true)
            } catch {
                return failed(operations, of: error)
            }
        } catch {
            return failed(operations, of: error)
        }
    }

    /// The operations in one transaction, and COMMIT.
    private mutating func attempt(_ operations: [WriteOperation], withSavepoints: Bool) throws -> Outcome {
        var replies: [@Sendable () -> Void] = []
        replies.reserveCapacity(operations.count)
        var duration = Duration.zero
        var lastGivenPosition = position
        do {
            let transaction = try pool.writeWithoutTransaction { db in
                let transaction = WriteTransaction(
                    db: db, now: settings.clock.now(), position: position, auditHead: auditHead
                )
                defer {
                    lastGivenPosition = max(lastGivenPosition, transaction.position)
                    if db.isInsideTransaction { try? db.rollback() }
                }
                try db.beginTransaction(.immediate)
                for operation in operations {
                    replies.append(try Self.perform(operation, in: transaction, inSavepoint: withSavepoints))
                }
                try sweep.continueIfDue(in: transaction)
                try transaction.storeAuditHead()
                let start = ContinuousClock.now
                try db.commit()
                duration = .now - start
                return transaction
            }
            position = transaction.position
            auditHead = transaction.auditHead
            committedHead = transaction.frames.last?.position ?? committedHead
            var batch = CommittedBatch(
                frames: transaction.frames, head: committedHead, hasQueuedRuns: transaction.hasQueuedRuns,
                hasRuleChanges: transaction.hasRuleChanges
            )
            batch.stops = transaction.stops
            batch.wakes = transaction.wakes
            batch.earliestTimer = transaction.earliestTimer
            return Outcome(isCommitted: true, batch: batch, replies: replies, commitDuration: duration)
        } catch {
            // Whatever the disk kept of it: its positions are not given again. Before COMMIT it has kept nothing.
            if !(error is WriteTransaction.MustRepeat) { position = lastGivenPosition }
            throw error
        }
    }

    /// The reply of one operation. Throws only what ends the whole batch.
    private static func perform(
        _ operation: WriteOperation, in transaction: WriteTransaction, inSavepoint: Bool
    ) throws -> @Sendable () -> Void {
        do {
            let body = { try operation.perform(transaction) }
            return inSavepoint ? try transaction.isolated(body) : try transaction.trusting(body)
        } catch let error as WriteTransaction.MustRepeat {
            throw error
        } catch {
            let endsTheBatch = (error as? DatabaseError)?.failsTheBatch ?? false
            guard !endsTheBatch, transaction.db.isInsideTransaction else { throw error }
            let reason = BelfryError(storage: error)
            // Told after the commit as well: what it found may be the work of an operation before it in the batch.
            return { operation.fail(reason) }
        }
    }

    private mutating func failed(_ operations: [WriteOperation], of error: any Error) -> Outcome {
        let reason = BelfryError(storage: error)
        logger.error(
            "A batch could not be stored", metadata: ["code": "\(reason.code.rawValue)", "reason": "\(reason.message)"]
        )
        if reason.code == .storageFull { disk.noteFull() }
        rescueSpace()
        return Outcome(
            isCommitted: false, batch: CommittedBatch(frames: [], head: committedHead),
            replies: operations.map { operation in { operation.fail(reason) } }, commitDuration: .zero
        )
    }

    // MARK: The disk

    /// Looks at the room on the disk if it is time, and tells of a change. What could not be stored is told later.
    mutating func watchDisk() -> Outcome? {
        let isDue = lastDiskCheck.map { $0.duration(to: .now) >= Limits.diskCheckInterval } ?? true
        guard isDue, let space = settings.diskSpace() else { return nil }
        lastDiskCheck = .now
        let level = disk.level(of: space)
        guard level != disk.told else { return nil }
        let notice = disk.notice(of: level, space)
        let outcome = commit([
            WriteOperation(
                bytes: 0, kind: .transition,
                perform: { transaction in
                    try transaction.append(notice.frame(at: transaction.now))
                    return {}
                },
                fail: { _ in }
            )
        ])
        if outcome.isCommitted { disk.told = level }
        return outcome
    }

    // MARK: Checkpoints

    /// Moves the log's pages into the database and starts the log anew, between two batches: inside a commit it would
    /// add its 20 ms to every caller's wait.
    ///
    /// On this thread and connection, although it could be done beside the writer on another: up to SQLite 3.51.2 a
    /// checkpoint that races a commit may lose what was committed (https://sqlite.org/wal.html#the_wal_reset_bug).
    /// - Parameter areTokensComing: then the log is checkpointed at a quarter of its length, so that none waits that long.
    mutating func checkpointIfDue(areTokensComing: Bool) {
        let part = settings.walBytesMax / 4
        guard walBytes > max(areTokensComing ? part : settings.walBytesMax, blockedBytes + part) else { return }
        checkpoint(.restart)
    }

    private mutating func checkpoint(_ mode: Database.CheckpointMode) {
        do {
            _ = try pool.writeWithoutTransaction { db in try db.checkpoint(mode) }
            walLength.pages = 0
            blockedBytes = 0
            checkpoints += 1
        } catch {
            // A reader still needs the log. Its pages are in the database by now, only the new start must wait.
            blockedBytes = walBytes
            logger.debug("The write-ahead log could not be restarted", metadata: ["reason": "\(error)"])
        }
    }

    /// On a full disk a log that starts anew needs no more room.
    private mutating func rescueSpace() {
        guard walLength.pages > 0, lastRescue.map({ $0.duration(to: .now) > .seconds(1) }) ?? true else { return }
        lastRescue = .now
        checkpoint(.restart)
    }

    /// The last thing the thread does: the database file alone is complete.
    mutating func end() {
        checkpoint(.truncate)
        pool.writeWithoutTransaction { db in _ = sqlite3_wal_hook(db.sqliteConnection, nil, nil) }
    }
}
