import BelfryCore
import GRDB
import Testing

@testable import BelfryStore

/// What the writer binds by SQLite's own calls is what readers find.
@Suite(.timeLimit(.minutes(3))) struct BindingTests {
    private func inDatabase(_ body: (Database) throws -> Void) throws {
        try DatabaseQueue().inDatabase { db in
            try db.execute(sql: "CREATE TABLE kept (id INTEGER PRIMARY KEY, value ANY) STRICT")
            try body(db)
        }
    }

    private static let values: [(any Bindable)?] = [
        nil, 0, Int64.min, Int64.max, true, false, "", "text", "t\u{e4}xt \u{1F514}", "".blob, "a\0b".blob,
        [UInt8]().blob,
        ([0, 255, 10] as [UInt8]).blob, [UInt8](repeating: 7, count: 100_000).blob,
    ]

    @Test("each kind of value is read back as SQLite's type and with all its bytes", arguments: values.indices)
    func roundTrip(_ index: Int) throws {
        try inDatabase { db in
            let value = Self.values[index]
            try db.cachedStatement(sql: "INSERT INTO kept (value) VALUES (?)").execute(binding: [value])
            let found = try Row.fetchOne(db, sql: "SELECT value, typeof(value) AS type FROM kept")
            let type: String? = found?["type"]
            switch value {
            case nil: #expect(type == "null")
            case let number as Int: #expect(type == "integer" && found?["value"] == Int64(number))
            case let number as Int64: #expect(type == "integer" && found?["value"] == number)
            case let flag as Bool: #expect(type == "integer" && found?["value"] == flag)
            case let text as String: #expect(type == "text" && found?["value"] == text)
            case let blob as Blob: #expect(type == "blob" && found?["value"] == blob.databaseValue)
            default: Issue.record("no such kind")
            }
        }
    }

    @Test("a statement binds anew each time: nothing of the values before is left")
    func bindsAnew() throws {
        try inDatabase { db in
            let insert = try db.cachedStatement(sql: "INSERT INTO kept (id, value) VALUES (?, ?)")
            try insert.execute(binding: [1, "first"])
            try insert.execute(binding: [2, nil])
            #expect(try String?.fetchAll(db, sql: "SELECT value FROM kept ORDER BY id") == ["first", nil])
        }
    }

    @Test("a statement that fails says SQLite's reason, and can be used again")
    func failure() throws {
        try inDatabase { db in
            let insert = try db.cachedStatement(sql: "INSERT INTO kept (id) VALUES (?)")
            try insert.execute(binding: [1])
            let error = #expect(throws: DatabaseError.self) { try insert.execute(binding: [1]) }
            #expect(error?.extendedResultCode == .SQLITE_CONSTRAINT_PRIMARYKEY)
            #expect(error?.message == "UNIQUE constraint failed: kept.id")
            try insert.execute(binding: [2])
            #expect(try Int.fetchOne(db, sql: "SELECT count(*) FROM kept") == 2)
        }
    }

    @Test("the first row is read by its places; none is nil; a read that is left early holds no lock")
    func first() throws {
        try inDatabase { db in
            try db.execute(sql: "INSERT INTO kept (value) VALUES (x'0102'), (x'03'), (NULL)")
            let select = try db.cachedStatement(sql: "SELECT id, value FROM kept WHERE id >= ? ORDER BY id")
            let found = try select.first(binding: [1]) { ($0.int(0), $0.bytes(1)) }
            #expect(found?.0 == 1 && found?.1 == [1, 2])
            #expect(try select.first(binding: [3]) { $0.bytes(1) } == [])
            #expect(try select.first(binding: [4]) { $0.int(0) } == nil)
            #expect(throws: BelfryError.self) {
                // Two bytes are no id. The statement is let go all the same.
                let _: EventID? = try select.first(binding: [1]) { try $0.identifier(1) }
            }
            try db.execute(sql: "DROP TABLE kept")
        }
    }
}
