import BelfryCore
import Foundation
import GRDB
import Testing

@testable import BelfryStore

/// What every promise rests on is checked at each start.
@Suite struct OpeningTests {
    @Test("the writer commits with synchronous=FULL, after a reopen too")
    func synchronousIsFull() async throws {
        let fixture = try Fixture()
        #expect(try fixture.number("PRAGMA synchronous") == 2)
        let again = try await fixture.reopen()
        let value = try again.onWriter { db in try Int.fetchOne(db, sql: "PRAGMA synchronous") }
        #expect(value == 2)
        await again.close()
    }

    @Test("pages are 16 KiB, the journal is a write-ahead log, and nothing checkpoints by itself")
    func pragmas() async throws {
        let fixture = try Fixture()
        #expect(try fixture.number("PRAGMA page_size") == 16384)
        #expect(try fixture.number("PRAGMA wal_autocheckpoint") == 0)
        let mode = try fixture.store.onWriter { db in
            try String.fetchOne(db, sql: "PRAGMA journal_mode")
        }
        #expect(mode == "wal")
        await fixture.store.close()
    }

    @Test("a database with other pages is refused")
    func otherPages() async throws {
        let fixture = try Fixture()
        await fixture.store.close()
        try FileManager.default.removeItem(atPath: fixture.folder + "/belfry.db")
        let other = try DatabaseQueue(path: fixture.folder + "/belfry.db")
        try other.inDatabase { db in try db.execute(sql: "CREATE TABLE other (x)") }
        try other.close()
        let error = await belfryError { _ = try fixture.open() }
        #expect(error?.code == .storageFailed)
        #expect(error?.message.contains("4096") == true)
    }

    @Test("a second process on the same folder is refused, and told why")
    func secondOpener() async throws {
        let fixture = try Fixture()
        let error = await belfryError { _ = try fixture.open() }
        #expect(error?.code == .conflict)
        #expect(error?.message.contains("in use by another belfry (process \(getpid()))") == true)
        let again = try await fixture.reopen()
        await again.close()
    }

    @Test("a database of a newer belfry is refused instead of damaged")
    func newerSchema() async throws {
        let fixture = try Fixture()
        try fixture.sql("PRAGMA user_version = 99")
        await fixture.store.close()
        let error = await belfryError { _ = try fixture.open() }
        #expect(error?.code == .storageFailed)
        #expect(error?.message.contains("newer belfry") == true)
    }

    @Test("nobody else may read the database, its log, or the key")
    func permissions() async throws {
        let fixture = try Fixture()
        for name in ["belfry.db", "belfry.db-wal", "belfry.lock", "secret.key"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: fixture.folder + "/" + name)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600, "\(name)")
        }
        await fixture.store.close()
    }

    @Test("a key file that does not fit the database is refused")
    func otherKey() async throws {
        let fixture = try Fixture()
        await fixture.store.close()
        try FileManager.default.removeItem(atPath: fixture.folder + "/secret.key")
        let error = await belfryError { _ = try fixture.open() }
        #expect(error?.code == .storageFailed)
        #expect(error?.message.contains("secret.key") == true)
    }

    @Test("a store that is let go commits what waits and frees its folder", .timeLimit(.minutes(3)))
    func letGo() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("belfry-store-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func open() throws -> Store {
            try Store.open(StoreConfiguration(folder: folder), logger: .quiet) { _ in }
        }
        func use() async throws {
            try await open().record([AuditDraft(actor: "a", action: "x.y", subject: "z")])
        }
        try await use()
        var again = try? open()
        while again == nil {
            await Task.yield()
            again = try? open()
        }
        #expect(try await again?.verifyAudit().entries == 1)
        await again?.close()
    }

    @Test("calls after the end are told so", .timeLimit(.minutes(3)))
    func afterClose() async throws {
        let fixture = try Fixture()
        await fixture.store.close()
        await fixture.store.close()
        let write = await belfryError { try await fixture.accept(fixture.event()) }
        #expect(write?.code == .shuttingDown)
        let read = await belfryError { _ = try await fixture.store.documents() }
        #expect(read?.code == .shuttingDown)
    }
}
