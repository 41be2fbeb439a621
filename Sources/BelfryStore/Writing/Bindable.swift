import Foundation
import GRDB
import GRDBSQLite

/// What can stand at a `?` of one of the writer's statements.
protocol Bindable: Sendable {
    /// Gives SQLite a copy of the value.
    /// - Returns: SQLite's result code.
    func bind(to statement: SQLiteStatement, at index: Int32) -> Int32
}

/// Tells SQLite to copy what it is given before the call returns (`SQLITE_TRANSIENT`, a macro that Swift can't import).
private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

extension Int64: Bindable {
    func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 { sqlite3_bind_int64(statement, index, self) }
}

extension Int: Bindable {
    func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 {
        sqlite3_bind_int64(statement, index, Int64(self))
    }
}

extension Bool: Bindable {
    func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 {
        sqlite3_bind_int64(statement, index, self ? 1 : 0)
    }
}

/// As TEXT: for names and words, which hold no NUL.
extension String: Bindable {
    func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 {
        var text = self
        return text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { bytes in
                bytes.baseAddress == nil
                    ? sqlite3_bind_text(statement, index, "", 0, transient)
                    : sqlite3_bind_text(statement, index, bytes.baseAddress, Int32(bytes.count), transient)
            }
        }
    }
}

/// Bytes. Free text and JSON are stored as BLOB: text may hold NUL, at which SQLite's bound strings end.
enum Blob: Bindable {
    case bytes([UInt8])
    case text(String)

    func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 {
        switch self {
        case .bytes(let bytes): bytes.withUnsafeBytes { Self.bind($0, to: statement, at: index) }
        case .text(var text): text.withUTF8 { Self.bind(UnsafeRawBufferPointer($0), to: statement, at: index) }
        }
    }

    private static func bind(
        _ bytes: UnsafeRawBufferPointer, to statement: SQLiteStatement, at index: Int32
    ) -> Int32 {
        // Without an address SQLite would bind NULL.
        guard let address = bytes.baseAddress, !bytes.isEmpty else { return sqlite3_bind_zeroblob(statement, index, 0) }
        return sqlite3_bind_blob64(statement, index, address, UInt64(bytes.count), transient)
    }
}

/// For the statements of readers, which GRDB binds.
extension Blob: DatabaseValueConvertible {
    var databaseValue: DatabaseValue {
        switch self {
        case .bytes(let bytes): Data(bytes).databaseValue
        case .text(let text): Data(text.utf8).databaseValue
        }
    }

    static func fromDatabaseValue(_ value: DatabaseValue) -> Blob? {
        Data.fromDatabaseValue(value).map { .bytes([UInt8]($0)) }
    }
}
