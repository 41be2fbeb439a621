import BelfryCore
import GRDB
import GRDBSQLite

/// The writer's statements. GRDB compiles and keeps them; they are bound and stepped by SQLite's own calls: GRDB's pass
/// each value through boxes and copies, which costs a delivery with its eight statements as much as SQLite's own work.
extension Statement {
    /// Runs it to its end.
    func execute(binding values: [(any Bindable)?]) throws {
        try stepping(values) { while try step() {} }
    }

    /// What `read` makes of the first row; nil if there is none.
    func first<Value>(binding values: [(any Bindable)?], _ read: (ColumnReader) throws -> Value) throws -> Value? {
        try stepping(values) { try step() ? try read(ColumnReader(statement: sqliteStatement)) : nil }
    }

    private func stepping<Value>(_ values: [(any Bindable)?], _ body: () throws -> Value) throws -> Value {
        // Its code is that of the last step, which was looked at.
        defer { sqlite3_reset(sqliteStatement) }
        var index: Int32 = 0
        for value in values {
            index += 1
            let code = value?.bind(to: sqliteStatement, at: index) ?? sqlite3_bind_null(sqliteStatement, index)
            guard code == SQLITE_OK else { throw failure(code) }
        }
        assert(index == sqlite3_bind_parameter_count(sqliteStatement))
        return try body()
    }

    private func step() throws -> Bool {
        let code = sqlite3_step(sqliteStatement)
        guard code == SQLITE_ROW || code == SQLITE_DONE else { throw failure(code) }
        return code == SQLITE_ROW
    }

    private func failure(_ code: Int32) -> DatabaseError {
        let message = sqlite3_errmsg(sqlite3_db_handle(sqliteStatement)).map { String(cString: $0) }
        return DatabaseError(resultCode: ResultCode(rawValue: code), message: message, sql: sql)
    }
}

/// The columns of the row at which a statement stands, by their place. Of use only until the next step.
struct ColumnReader {
    fileprivate let statement: SQLiteStatement

    /// 0 for NULL.
    func int(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    /// Empty for NULL.
    func bytes(_ column: Int32) -> [UInt8] {
        guard let address = sqlite3_column_blob(statement, column) else { return [] }
        return [UInt8](
            UnsafeRawBufferPointer(start: address, count: Int(sqlite3_column_bytes(statement, column))))
    }

    func identifier<Kind>(_ column: Int32, of _: Kind.Type = Kind.self) throws(BelfryError) -> Identifier<Kind> {
        guard let id = Identifier<Kind>(bytes: bytes(column)) else {
            throw BelfryError(.storageFailed, "the database holds a value it should not: column \(column)")
        }
        return id
    }
}
