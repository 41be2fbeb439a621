import BelfryCore
import Foundation
import GRDB
import Synchronization

/// Every token in memory, by its digest: authentication is a look-up, never a query.
final class TokenTable: Sendable {
    struct Entry: Sendable {
        var digest: [UInt8]
        var record: TokenRecord
    }

    private let entries: Mutex<[[UInt8]: TokenRecord]>

    init(_ entries: [Entry]) {
        self.entries = Mutex(Dictionary(entries.map { ($0.digest, $0.record) }) { _, last in last })
    }

    subscript(digest: [UInt8]) -> TokenRecord? { entries.withLock { $0[digest] } }

    var all: [TokenRecord] {
        entries.withLock { Array($0.values) }.sorted {
            ($0.created, $0.id.description) < ($1.created, $1.id.description)
        }
    }

    func insert(_ entry: Entry) { entries.withLock { $0[entry.digest] = entry.record } }

    func update(_ id: TokenID, _ change: (inout TokenRecord) -> Void) {
        entries.withLock { entries in
            guard let digest = entries.first(where: { $0.value.id == id })?.key else { return }
            entries[digest].map { record in
                var record = record
                change(&record)
                entries[digest] = record
            }
        }
    }

    /// Notes a use; true if it is the first one in a while and should be stored.
    func noteUse(_ digest: [UInt8], at time: Timestamp) -> Bool {
        entries.withLock { entries in
            guard var record = entries[digest] else { return false }
            guard record.lastUsed.map({ time - $0 >= Limits.tokenUseInterval }) ?? true else { return false }
            record.lastUsed = time
            entries[digest] = record
            return true
        }
    }

    static func load(_ db: Database) throws -> [Entry] {
        try Row.fetchAll(db, sql: "SELECT * FROM tokens").map { row in
            Entry(
                digest: row.bytes("digest"),
                record: TokenRecord(
                    id: try row.identifier("id"), name: row.text("name"), role: try row.word("role"),
                    scopes: row.json("scopes").value.array?.compactMap(\.string) ?? [],
                    created: row.timestamp("created"), createdBy: row.text("created_by"),
                    expires: row.optionalTimestamp("expires"), revoked: row.optionalTimestamp("revoked"),
                    lastUsed: row.optionalTimestamp("last_used")
                )
            )
        }
    }
}
