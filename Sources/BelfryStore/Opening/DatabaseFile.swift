import BelfryCore
import BelfryCrypto
import Foundation
import GRDB
import Migrations

#if canImport(Glibc)
    import Glibc
#endif

/// What the database said of itself when it was opened.
public struct StoreSettings: Sendable, Hashable {
    /// `PRAGMA synchronous` of the writer; 2 is FULL.
    public var synchronous: Int
    public var pageBytes: Int
    public var journalMode: String
}

/// Opens `belfry.db` and makes sure of what every promise rests on.
enum DatabaseFile {
    /// 16 KiB: events are a few KiB, and a delivery then touches fewer pages (1.2 to 1.3 times the deliveries of
    /// 4 KiB).
    static let pageBytes = 16 * 1024
    /// The `application_id` of the file: "Blfy".
    private static let applicationID = 0x426C_6679

    static func open(_ configuration: StoreConfiguration) throws -> (pool: DatabasePool, settings: StoreSettings) {
        let path = configuration.folder + "/belfry.db"
        try makePrivate(path)
        let pool = try DatabasePool(path: path, configuration: settings(configuration))
        // GRDB sets synchronous to NORMAL when it turns to WAL, after `prepareDatabase`: only here does FULL stay.
        let synchronous = try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            return try Int.fetchOne(db, sql: "PRAGMA synchronous")
        }
        guard synchronous == 2 else {
            throw BelfryError(
                .storageFailed, "the database did not accept synchronous=FULL: nothing it acknowledges would be safe"
            )
        }
        let pageBytes = try pool.writeWithoutTransaction { db in try Int.fetchOne(db, sql: "PRAGMA page_size") }
        guard pageBytes == Self.pageBytes else {
            throw BelfryError(
                .storageFailed,
                "\(path) has pages of \(pageBytes ?? 0) bytes instead of \(Self.pageBytes): "
                    + "it was not made by belfry, or rebuilt by another program"
            )
        }
        let journalMode = try pool.writeWithoutTransaction { db in try String.fetchOne(db, sql: "PRAGMA journal_mode") }
        try migrate(pool, path: path)
        return (
            pool,
            StoreSettings(synchronous: synchronous ?? 0, pageBytes: Self.pageBytes, journalMode: journalMode ?? "?")
        )
    }

    /// An empty file is an empty database; SQLite gives its log the same permissions.
    private static func makePrivate(_ path: String) throws(BelfryError) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw BelfryError(.storageFailed, "can't open \(path): \(String(cString: strerror(errno)))")
        }
        Glibc.close(descriptor)
    }

    private static func settings(_ configuration: StoreConfiguration) -> Configuration {
        var settings = Configuration()
        settings.label = "belfry"
        settings.foreignKeysEnabled = false
        settings.maximumReaderCount = configuration.readersMax
        // The writer waits for nobody but readers at a checkpoint, and not long: callers wait behind it.
        settings.busyMode = .timeout(0.1)
        settings.prepareDatabase { db in
            // Before WAL and the first table, or it has no effect.
            try db.execute(sql: "PRAGMA page_size = \(pageBytes)")
            // The writer decides when, between two batches.
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
            try db.execute(sql: "PRAGMA cache_size = \(db.configuration.readonly ? -8192 : -65536)")
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            try db.execute(sql: "PRAGMA trusted_schema = OFF")
        }
        return settings
    }

    private static func migrate(_ pool: DatabasePool, path: String) throws {
        try pool.writeWithoutTransaction { db in
            let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            guard version <= Migrations.all.count else {
                throw BelfryError(
                    .storageFailed,
                    "\(path) was written by a newer belfry (schema \(version), this one knows "
                        + "\(Migrations.all.count)): use that one, or restore a backup from before"
                )
            }
            for migration in Migrations.all where migration.number > version {
                try db.inTransaction(.immediate) {
                    try db.execute(sql: migration.sql)
                    try db.execute(sql: "PRAGMA user_version = \(migration.number)")
                    try db.execute(sql: "PRAGMA application_id = \(applicationID)")
                    return .commit
                }
            }
        }
    }

    /// The end of the log and of the audit chain, from where the writer goes on.
    static func heads(_ pool: DatabasePool) throws -> (position: Int64, audit: AuditHead) {
        try pool.writeWithoutTransaction { db in
            // The sequence and not the last row: frames may have been removed.
            let position = try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'frames'")
            return (position ?? 0, try AuditHead(db))
        }
    }

    /// Refuses a database whose secrets were sealed with another key: they would be lost without a word.
    static func check(_ key: SealingKey, in pool: DatabasePool, folder: String) throws {
        let context = "key_check"
        try pool.writeWithoutTransaction { db in
            if let sealed = try Data.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'key_check'") {
                guard key.open([UInt8](sealed), context: context) == Array(context.utf8) else {
                    throw BelfryError(
                        .storageFailed, "\(folder)/secret.key is not the key this database was made with: restore it"
                    )
                }
            } else {
                let sealed = key.seal(Array(context.utf8), context: context)
                try db.execute(sql: "INSERT INTO meta (name, value) VALUES ('key_check', ?)", arguments: [sealed.blob])
            }
        }
    }
}

extension AuditHead {
    /// As the head row says it.
    init(_ db: Database) throws {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT name, value FROM meta WHERE name IN ('audit_sequence', 'audit_hash')")
        )
        for row in rows {
            if row.text("name") == "audit_hash" { hash = row.bytes("value") } else { sequence = row.int("value") }
        }
    }
}
