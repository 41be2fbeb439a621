public import BelfryCore
import Foundation
import GRDB
import Synchronization

/// Refusals that were counted and not yet written: a flood of them is one row per source, reason and minute, and never
/// more than one waiting write.
struct RefusalCounts: Sendable {
    struct Key: Hashable {
        var source: String
        var code: String
        var minute: Int64
    }

    struct Value {
        var count: Int64
        var remote: String
    }

    private var counts: [Key: Value] = [:]
    private var isWriteUnderWay = false

    /// Counts one; true if the caller has to ask for a write.
    mutating func add(source: String, code: String, remote: String, at time: Timestamp) -> Bool {
        let window = Limits.refusalWindow.milliseconds
        let key = Key(source: source, code: code, minute: time.milliseconds / window * window)
        counts[key, default: Value(count: 0, remote: remote)].count += 1
        counts[key]?.remote = remote
        defer { isWriteUnderWay = true }
        return !isWriteUnderWay
    }

    mutating func take() -> [(Key, Value)] {
        defer { counts = [:] }
        isWriteUnderWay = false
        return counts.map { ($0.key, $0.value) }
    }

    /// The write did not come about: the next refusal asks for another.
    mutating func writeFailed() { isWriteUnderWay = false }

    /// What could not be written waits for the next refusal.
    mutating func putBack(_ taken: [(Key, Value)]) {
        for (key, value) in taken { counts[key, default: Value(count: 0, remote: value.remote)].count += value.count }
    }
}

extension Store {
    /// Notes that a delivery was refused, added up per source, reason and minute. Rides along with a commit; nobody
    /// waits for it.
    /// - Parameter source: A source that exists; `*` for names that do not, of which there is no end.
    public func recordRefusal(source: String, code: BelfryError.Code, remote: String) async {
        let mustWrite = refusalCounts.withLock {
            $0.add(source: source, code: code.rawValue, remote: remote, at: now)
        }
        guard mustWrite else { return }
        writer.post { [self] transaction in
            let taken = refusalCounts.withLock { $0.take() }
            do {
                for (key, value) in taken { try transaction.record(key, value) }
            } catch {
                refusalCounts.withLock { $0.putBack(taken) }
                throw error
            }
        } ended: { [self] error in
            if error != nil { refusalCounts.withLock { $0.writeFailed() } }
        }
    }
}

extension WriteTransaction {
    fileprivate func record(_ key: RefusalCounts.Key, _ value: RefusalCounts.Value) throws {
        let isFirst =
            try row(
                "SELECT 1 AS one FROM refusals WHERE source = ? AND code = ? AND minute = ?",
                [key.source, key.code, key.minute]
            ) == nil
        try execute(
            """
            INSERT INTO refusals (source, code, minute, count, remote) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (source, code, minute) DO UPDATE SET
                count = count + excluded.count, remote = excluded.remote
            """,
            [key.source, key.code, key.minute, value.count, value.remote.blob]
        )
        guard isFirst else { return }
        try append(
            AuditDraft(
                actor: "source/\(key.source)", action: "delivery.refused", subject: "source/\(key.source)",
                detail: JSONObject([
                    .init(key: "code", value: .string(key.code)),
                    .init(key: "minute", value: .string(Timestamp(milliseconds: key.minute).description)),
                    .init(key: "remote", value: .string(value.remote)),
                ])
            )
        )
    }
}
