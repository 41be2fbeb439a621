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

    private struct State {
        var records: [[UInt8]: TokenRecord] = [:]
        var digests: [TokenID: [UInt8]] = [:]

        mutating func insert(_ entry: Entry) {
            records[entry.digest] = entry.record
            digests[entry.record.id] = entry.digest
        }
    }

    private let state: Mutex<State>

    init(_ entries: [Entry]) {
        var state = State()
        for entry in entries { state.insert(entry) }
        self.state = Mutex(state)
    }

    subscript(digest: [UInt8]) -> TokenRecord? { state.withLock { $0.records[digest] } }

    subscript(id id: TokenID) -> TokenRecord? {
        state.withLock { state in state.digests[id].flatMap { state.records[$0] } }
    }

    var all: [TokenRecord] {
        state.withLock { Array($0.records.values) }.sorted {
            ($0.created, $0.id.description) < ($1.created, $1.id.description)
        }
    }

    func insert(_ entry: Entry) { state.withLock { $0.insert(entry) } }

    func update(_ id: TokenID, _ change: (inout TokenRecord) -> Void) {
        state.withLock { state in
            guard let digest = state.digests[id], var record = state.records[digest] else { return }
            change(&record)
            state.records[digest] = record
        }
    }

    func remove(_ ids: [TokenID]) {
        state.withLock { state in
            for id in ids {
                guard let digest = state.digests.removeValue(forKey: id) else { continue }
                state.records[digest] = nil
            }
        }
    }

    /// Notes a use; true if it is the first one in a while and should be stored.
    func noteUse(_ digest: [UInt8], at time: Timestamp) -> Bool {
        state.withLock { state in
            guard var record = state.records[digest] else { return false }
            guard record.lastUsed.map({ time - $0 >= Limits.tokenUseInterval }) ?? true else { return false }
            record.lastUsed = time
            state.records[digest] = record
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
