import BelfryCore
import BelfryCrypto
import Foundation
import GRDB

/// The last entry of the audit chain.
struct AuditHead: Sendable, Equatable {
    var sequence: Int64 = 0
    var hash = [UInt8](repeating: 0, count: 32)
}

/// What the operations of one batch see: the open transaction, and what it will make true.
///
/// Lives on the writer's thread for the length of a batch.
final class WriteTransaction {
    let db: Database
    /// One moment for the whole batch.
    let now: Timestamp
    private(set) lazy var nowText = now.description
    /// In the order of their positions.
    private(set) var frames: [Frame] = []
    /// The last position that was given.
    var position: Int64
    private(set) var auditHead: AuditHead
    var hasQueuedRuns = false
    var hasRuleChanges = false
    var stops: [RunStop] = []
    var wakes: [RunID] = []
    var earliestTimer: Timestamp?
    private let firstAuditHead: AuditHead

    init(db: Database, now: Timestamp, position: Int64, auditHead: AuditHead) {
        self.db = db
        self.now = now
        self.position = position
        self.auditHead = auditHead
        firstAuditHead = auditHead
    }

    // MARK: Statements

    /// Compiled once per connection.
    func execute(_ sql: String, _ values: [(any Bindable)?] = []) throws {
        try db.cachedStatement(sql: sql).execute(binding: values)
    }

    /// What `read` makes of the first row; nil if there is none. For what every delivery asks: ``row(_:_:)`` copies the
    /// row, and finds a column by its name.
    func first<Value>(
        _ sql: String, _ values: [(any Bindable)?], _ read: (ColumnReader) throws -> Value
    ) throws -> Value? {
        try db.cachedStatement(sql: sql).first(binding: values, read)
    }

    func row(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Row? {
        try Row.fetchOne(db.cachedStatement(sql: sql), arguments: arguments)
    }

    func rows(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> [Row] {
        try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments)
    }

    // MARK: One operation

    /// Runs `body` without a savepoint. If it throws and has written something, the transaction is of no use any more:
    /// that is told by ``MustRepeat``, and the batch begins anew, each operation in its savepoint then.
    ///
    /// Every page that is changed inside a savepoint is copied first, and a delivery touches a dozen pages of 16 KiB:
    /// savepoints would cost more than the rows. Almost every batch does without.
    func trusting<Value>(_ body: () throws -> Value) throws -> Value {
        let changes = db.totalChangesCount
        do {
            return try body()
        } catch {
            guard db.isInsideTransaction, db.totalChangesCount != changes else { throw error }
            throw MustRepeat()
        }
    }

    struct MustRepeat: Error {}

    /// Runs `body` in a savepoint: if it throws, it alone is undone.
    func isolated<Value>(_ body: () throws -> Value) throws -> Value {
        let mark = (
            frames: frames.count, position: position, audit: auditHead, hasQueuedRuns, hasRuleChanges, stops: stops,
            wakes: wakes,
            earliestTimer: earliestTimer
        )
        try execute("SAVEPOINT operation")
        do {
            let value = try body()
            try execute("RELEASE operation")
            return value
        } catch {
            guard db.isInsideTransaction else { throw error }
            try execute("ROLLBACK TO operation")
            try execute("RELEASE operation")
            frames.removeSubrange(mark.frames...)
            // Nobody has seen these positions, not even the disk.
            position = mark.position
            auditHead = mark.audit
            (hasQueuedRuns, hasRuleChanges) = (mark.3, mark.4)
            (stops, wakes, earliestTimer) = (mark.stops, mark.wakes, mark.earliestTimer)
            throw error
        }
    }

    // MARK: The log and the audit chain

    @discardableResult
    func append(_ draft: DraftFrame) throws -> Int64 {
        position += 1
        let topic: String? =
            switch draft.topic {
            case .run: nil
            default: draft.topic.description
            }
        try execute(
            """
            INSERT INTO frames (position, time, topic, type, run, rule, source, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                position, draft.time.milliseconds, topic, draft.type.rawValue, draft.run?.bytes.blob, draft.rule,
                draft.source, draft.data.blob,
            ]
        )
        frames.append(Frame(position: position, draft: draft))
        return position
    }

    func append(_ entry: AuditDraft) throws {
        try appendAudit(
            actor: entry.actor, action: entry.action, subject: entry.subject,
            canonicalDetail: JSONValue.object(entry.detail).canonicalEncoded()
        )
    }

    /// For the ingest path, which writes its detail in the canonical order itself.
    func appendAudit(actor: String, action: String, subject: String, canonicalDetail detail: [UInt8]) throws {
        let sequence = auditHead.sequence + 1
        let record = AuditChain.record(
            sequence: sequence, time: nowText, actor: actor, action: action, subject: subject, detail: detail
        )
        let hash = Digest.sha256([auditHead.hash, record])
        try execute(
            "INSERT INTO audit (sequence, time, actor, action, subject, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                sequence, now.milliseconds, actor.blob, action, subject.blob, detail.blob, hash.blob,
            ]
        )
        auditHead = AuditHead(sequence: sequence, hash: hash)
    }

    /// The head row shows a tail that was cut off. Once per batch, as the last thing in it.
    func storeAuditHead() throws {
        guard auditHead != firstAuditHead else { return }
        try setMeta("audit_sequence", auditHead.sequence)
        try setMeta("audit_hash", auditHead.hash.blob)
    }

    // MARK: Single values

    func meta(_ name: String) throws -> Int64 {
        try row("SELECT value FROM meta WHERE name = ?", [name])?.int("value") ?? 0
    }

    func setMeta(_ name: String, _ value: any Bindable) throws {
        try execute(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [name, value]
        )
    }
}
