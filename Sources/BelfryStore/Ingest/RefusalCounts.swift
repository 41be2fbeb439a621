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
    /// When each source's refusals were last worth a notice.
    private var noticed: [String: Timestamp] = [:]

    /// Whether a notice about a source may come again.
    func mayNotice(_ source: String, at time: Timestamp) -> Bool {
        noticed[source].map { time - $0 >= Limits.refusalNoticeInterval } ?? true
    }

    mutating func noteNotices(_ sources: [String], at time: Timestamp) {
        for source in sources { noticed[source] = time }
    }

    /// Counts one; true if the caller has to ask for a write.
    mutating func add(source: String, code: String, remote: String, at time: Timestamp) -> Bool {
        let window = Limits.refusalWindow.milliseconds
        let key = Key(source: source, code: code, minute: time.milliseconds / window * window)
        counts[key, default: Value(count: 0, remote: remote)].count += 1
        counts[key]?.remote = remote
        defer { isWriteUnderWay = true }
        return !isWriteUnderWay
    }

    mutating func take() -> [Key: Value] {
        defer { counts = [:] }
        isWriteUnderWay = false
        return counts
    }

    /// What could not be written waits for the next refusal, which asks for another write.
    mutating func putBack(_ taken: [Key: Value]) {
        isWriteUnderWay = false
        for (key, value) in taken { counts[key, default: Value(count: 0, remote: value.remote)].count += value.count }
    }
}

private final class Taken: Sendable {
    private let counts = Mutex<[RefusalCounts.Key: RefusalCounts.Value]?>(nil)
    /// Sources that the batch holds a notice about, and its moment.
    let noticed = Mutex<(sources: [String], time: Timestamp)?>(nil)

    var all: [RefusalCounts.Key: RefusalCounts.Value] { counts.withLock { $0 ?? [:] } }

    func counts(from store: Store) -> [RefusalCounts.Key: RefusalCounts.Value] {
        counts.withLock { counts in
            let taken = counts ?? store.refusalCounts.withLock { $0.take() }
            counts = taken
            return taken
        }
    }
}

extension Store {
    /// Notes that a delivery was refused, added up per source, reason and minute. Rides along with a commit that
    /// nobody waits for: it never blocks.
    /// - Parameter source: A source that exists; `*` for names that do not, of which there is no end.
    public func recordRefusal(source: String, code: BelfryError.Code, remote: String) {
        let mustWrite = refusalCounts.withLock {
            $0.add(source: source, code: code.rawValue, remote: remote, at: now)
        }
        guard mustWrite else { return }
        // Taken once, also if the batch is run again; put back if it is not stored in the end.
        let taken = Taken()
        writer.post { [self] transaction in
            let counts = taken.counts(from: self)
            for (key, value) in counts { try transaction.record(key, value) }
            let sources = Set(counts.keys.map(\.source)).subtracting(["*"]).sorted()
            let due = refusalCounts.withLock { state in
                sources.filter { state.mayNotice($0, at: transaction.now) }
            }
            let noticed = try due.filter { try transaction.noticeRefusals(of: $0) }
            taken.noticed.withLock { $0 = (noticed, transaction.now) }
        } ended: { [self] error in
            guard error == nil else { return refusalCounts.withLock { $0.putBack(taken.all) } }
            guard let noticed = taken.noticed.withLock({ $0 }) else { return }
            refusalCounts.withLock { $0.noteNotices(noticed.sources, at: noticed.time) }
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
