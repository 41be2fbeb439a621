public import BelfryCore
import BelfryCrypto
import Foundation
import GRDB
public import Logging
import Synchronization

/// The one place where Belfry keeps things: events, runs, documents, the log, the audit chain, tokens, in one SQLite
/// file with one writer and group commit.
///
/// What a write says it did is on disk when its call returns. Reads see everything that was committed before they
/// began.
///
/// **Architecture Invariant**: the only module that says SQL. It knows nothing of HTTP, of agents, or of how rules
/// match.
public final class Store: Sendable {
    let configuration: StoreConfiguration
    let writer: Writer
    let key: SealingKey
    let logger: Logger
    /// Tokens by digest: authentication is asked on every request and must not wait for a disk.
    let tokenTable: TokenTable
    /// Where the scheduler's round over the rules goes on.
    let lastClaimedRule = Mutex("")
    let refusalCounts = Mutex(RefusalCounts())
    /// How far the rules were when a step last began to wait for an event.
    let waitsGeneration = Atomic(0)
    private let lock: FolderLock
    /// As they were read back at the start.
    public let settings: StoreSettings

    private init(
        configuration: StoreConfiguration, settings: StoreSettings, writer: Writer, key: SealingKey,
        tokens: [TokenTable.Entry],
        lock: FolderLock, logger: Logger
    ) {
        self.configuration = configuration
        self.settings = settings
        self.writer = writer
        self.key = key
        self.tokenTable = TokenTable(tokens)
        self.lock = lock
        self.logger = logger
    }

    /// One that is let go without ``close()`` still commits what waits, and then frees the folder.
    deinit { writer.stop() }

    /// Opens the data folder, makes what is not there yet, and starts the writer.
    ///
    /// - Parameter onCommit: Called on the writer's thread after each commit that holds frames, queued runs, changes of
    ///   rules, stops or timers, in the order of positions, before any caller of that commit resumes. It must not block.
    /// - Throws: `conflict` if another process uses the folder; `storage_failed` if the folder, the database or the
    ///   key file is not usable, or the database does not accept `synchronous=FULL`.
    public static func open(
        _ configuration: StoreConfiguration, logger: Logger,
        onCommit: @escaping @Sendable (CommittedBatch) -> Void
    ) throws(BelfryError) -> Store {
        do {
            try FileManager.default.createDirectory(
                atPath: configuration.folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            let lock = try FolderLock(folder: configuration.folder)
            let key = try KeyFile.load(folder: configuration.folder)
            let (pool, settings) = try DatabaseFile.open(configuration)
            try DatabaseFile.check(key, in: pool, folder: configuration.folder)
            let heads = try DatabaseFile.heads(pool)
            let tokens = try pool.read { db in try TokenTable.load(db) }
            let writer = Writer(
                pool: pool,
                settings: Writer.Settings(
                    clock: configuration.clock, walBytesMax: configuration.walBytesMax,
                    pageBytes: DatabaseFile.pageBytes, position: heads.position, auditHead: heads.audit,
                    diskSpace: { configuration.diskSpace(configuration.folder) }
                ),
                logger: logger, onCommit: onCommit
            )
            writer.start(holding: lock)
            return Store(
                configuration: configuration, settings: settings, writer: writer, key: key, tokens: tokens, lock: lock,
                logger: logger
            )
        } catch let error as BelfryError {
            throw error
        } catch let error as DatabaseError
            where error.resultCode == .SQLITE_NOTADB || error.resultCode == .SQLITE_CORRUPT
        {
            let path = configuration.folder + "/belfry.db"
            throw BelfryError(
                .storageFailed, "\(path) is not a database of belfry, or damaged: restore it from the backup")
        } catch let error as DatabaseError {
            throw BelfryError(storage: error)
        } catch {
            let reason = (error as NSError).localizedDescription
            throw BelfryError(.storageFailed, "can't use the data folder \(configuration.folder): \(reason)")
        }
    }

    /// Commits what waits, brings the whole log into the database file, and lets go of the folder. Calls that come
    /// later get `shutting_down`.
    public func close() async {
        await writer.close()
        do {
            try writer.pool.close()
        } catch {
            logger.warning("The database could not be closed", metadata: ["reason": "\(error)"])
        }
        lock.release()
    }

    /// The last committed position of the log; 0 while it is empty. Set before `onCommit` sees the batch.
    public var head: Int64 { writer.head }

    public var statistics: StoreStatistics { writer.statistics }

    var now: Timestamp { configuration.clock.now() }

    /// Reads in one snapshot. Keep it short: while it lasts, the write-ahead log can't start anew.
    @concurrent
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(BelfryError) -> Value {
        do {
            return try await writer.pool.read(body)
        } catch {
            throw BelfryError(storage: error)
        }
    }
}
