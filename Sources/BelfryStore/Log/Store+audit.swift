public import BelfryCore
import BelfryCrypto
import GRDB

extension Store {
    /// Adds entries to the audit chain.
    public func record(_ entries: [AuditDraft]) async throws(BelfryError) {
        guard !entries.isEmpty else { return }
        try await writer.perform { transaction in
            for entry in entries { try transaction.append(entry) }
        }
    }

    /// Entries after a sequence number, oldest first: for `tail` and `export`.
    public func audit(after: Int64, max: Int = Limits.pageRowsMax) async throws(BelfryError) -> [AuditEntry] {
        let max = Swift.min(Swift.max(max, 1), Limits.pageRowsMax)
        return try await read { db in try AuditEntry.page(db, after: after, max: max) }
    }

    /// Entries, newest first.
    public func audit(
        cursor: String?, max: Int = Limits.pageRowsDefault
    ) async throws(BelfryError) -> Page<AuditEntry> {
        var query = ListQuery("SELECT * FROM audit", order: "sequence")
        try query.start(after: cursor)
        return try await page(query, max: max, sequence: { $0.sequence }) { row, _ in AuditEntry(row) }
    }

    /// Recomputes the whole chain, page by page, and compares its end with the head that is kept beside it: a changed,
    /// removed or added entry and a tail that was cut off are each found, and the first broken entry is named.
    @concurrent
    public func verifyAudit() async throws(BelfryError) -> AuditVerification {
        var check = AuditCheck()
        while true {
            let last = check.head.sequence
            // One snapshot: the head that belongs to these rows.
            let (entries, head) = try await read { db in
                (try AuditEntry.page(db, after: last, max: Limits.pageRowsMax), try AuditHead(db))
            }
            for entry in entries {
                if let problem = check.add(entry) { return check.broken(problem) }
            }
            if entries.count < Limits.pageRowsMax { return check.end(at: head) }
        }
    }
}

/// Walks along the chain. Pure.
struct AuditCheck {
    private(set) var head = AuditHead()

    /// What is wrong with the next entry, or nil if it holds.
    mutating func add(_ entry: AuditEntry) -> String? {
        guard entry.sequence == head.sequence + 1 else { return "the entry is missing" }
        let record = AuditChain.record(
            sequence: entry.sequence, time: entry.time.description, actor: entry.actor, action: entry.action,
            subject: entry.subject, detail: entry.detail.bytes
        )
        guard Digest.sha256([head.hash, record]) == entry.hash else {
            return "its hash does not fit its content and the entry before it"
        }
        head = AuditHead(sequence: entry.sequence, hash: entry.hash)
        return nil
    }

    func broken(_ problem: String) -> AuditVerification {
        AuditVerification(
            entries: head.sequence, head: head.hash, brokenAt: head.sequence + 1, problem: problem
        )
    }

    func end(at stored: AuditHead) -> AuditVerification {
        if stored.sequence > head.sequence { return broken("the end of the chain was cut off here") }
        if stored != head {
            return AuditVerification(
                entries: head.sequence, head: head.hash, brokenAt: min(stored.sequence + 1, max(head.sequence, 1)),
                problem: "the entry does not fit the head of the chain: something else wrote it"
            )
        }
        return AuditVerification(entries: head.sequence, head: head.hash)
    }
}

extension AuditEntry {
    init(_ row: Row) {
        sequence = row.int("sequence")
        time = row.timestamp("time")
        actor = row.text("actor")
        action = row.text("action")
        subject = row.text("subject")
        detail = row.json("detail")
        hash = row.bytes("hash")
    }

    static func page(_ db: Database, after: Int64, max: Int) throws -> [AuditEntry] {
        let sql = "SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?"
        return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [after, max]).map { AuditEntry($0) }
    }
}
