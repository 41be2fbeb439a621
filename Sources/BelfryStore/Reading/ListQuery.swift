import BelfryCore
import GRDB

/// A list in the making: newest first, by a row number that is also the cursor.
struct ListQuery: Sendable {
    private var select: String
    private let order: String
    /// What the cursor stands for in terms of `order`; SQL with one `?`.
    private let start: String
    private var conditions: [String] = []
    private var arguments: [DatabaseValue] = []

    init(_ select: String, order: String, start: String = "?") {
        self.select = select
        self.order = order
        self.start = start
    }

    /// `condition` is SQL of our own with one `?`.
    mutating func require(_ condition: String, _ value: any DatabaseValueConvertible) {
        conditions.append(condition)
        arguments.append(value.databaseValue)
    }

    mutating func require(_ condition: String) { conditions.append(condition) }

    mutating func require(anyOf column: String, _ values: [String]) {
        conditions.append("\(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))")
        arguments += values.map(\.databaseValue)
    }

    /// Goes on after the page that gave `cursor`.
    mutating func start(after cursor: String?) throws(BelfryError) {
        guard let cursor else { return }
        guard let sequence = Int64(cursor), sequence >= 0 else {
            throw BelfryError(.malformed, "cursor must be the `next` of the page before")
        }
        require("\(order) < \(start)", sequence)
    }

    func rows(_ db: Database, max: Int) throws -> [Row] {
        var sql = select
        if !conditions.isEmpty { sql += " WHERE " + conditions.joined(separator: " AND ") }
        sql += " ORDER BY \(order) DESC LIMIT ?"
        return try Row.fetchAll(
            db.cachedStatement(sql: sql), arguments: StatementArguments(arguments + [max.databaseValue])
        )
    }
}

extension Store {
    /// One page of a list; one row more is read to know whether there is another page.
    func page<Item: Sendable>(
        _ query: ListQuery, max: Int, sequence: @escaping @Sendable (Item) -> Int64,
        _ item: @escaping @Sendable (Row, Database) throws -> Item
    ) async throws(BelfryError) -> Page<Item> {
        let max = Swift.min(Swift.max(max, 1), Limits.pageRowsMax)
        return try await read { db in
            let rows = try query.rows(db, max: max + 1)
            let items = try rows.prefix(max).map { try item($0, db) }
            return Page(items: items, next: rows.count > max ? items.last.map { String(sequence($0)) } : nil)
        }
    }
}
