public import BelfryCore
import Foundation
import GRDB

extension Store {
    /// Questions to people, newest first.
    /// - Parameter isOpen: those that wait for a decision, or those that do not; nil: all.
    public func approvals(
        isOpen: Bool? = nil, run: RunID? = nil, cursor: String? = nil, max: Int = Limits.pageRowsDefault
    ) async throws(BelfryError) -> Page<ApprovalRecord> {
        var query = ListQuery("SELECT * FROM approvals", order: "sequence")
        try query.start(after: cursor)
        if let isOpen { query.require(isOpen ? "decision IS NULL" : "decision IS NOT NULL") }
        if let run { query.require("run = ?", run.bytes.blob) }
        return try await page(query, max: max, sequence: { $0.sequence }) { row, _ in try ApprovalRecord(row) }
    }

    /// - Throws: `not_found`.
    public func approval(_ id: ApprovalID) async throws(BelfryError) -> ApprovalRecord {
        let found = try await read { db in
            try Row.fetchOne(
                db.cachedStatement(sql: "SELECT * FROM approvals WHERE id = ?"), arguments: [id.bytes.blob]
            ).map { try ApprovalRecord($0) }
        }
        guard let found else { throw BelfryError(.notFound, "there is no approval \(id)") }
        return found
    }

    /// The questions of a run that were asked, oldest first.
    public func approvals(of run: RunID) async throws(BelfryError) -> [ApprovalRecord] {
        try await read { db in
            let sql = "SELECT * FROM approvals INDEXED BY approvals_of_run WHERE run = ? ORDER BY sequence"
            return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [run.bytes.blob]).map {
                try ApprovalRecord($0)
            }
        }
    }

    /// A command that was answered; nil: it was not heard of.
    public func command(_ id: CommandID, of principal: String) async throws(BelfryError) -> CommandRecord? {
        try await read { db in
            let sql = "SELECT * FROM commands WHERE principal = ? AND id = ?"
            let arguments: StatementArguments = [principal.blob, id.bytes.blob]
            return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: arguments).map { row in
                CommandRecord(
                    principal: principal, id: id, run: try row.optionalIdentifier("run"), kind: row.text("kind"),
                    digest: row.bytes("digest"), answer: row.json("answer"))
            }
        }
    }

    /// Who was the last to stop a run, when, and by which command; nil: nobody did, or the log does not hold it any more.
    public func lastStop(
        of run: RunID
    ) async throws(BelfryError) -> (by: String, at: Timestamp, command: CommandID?)? {
        try await read { db in
            // From the end: what follows a stop is short.
            let sql = """
                SELECT time, data FROM frames WHERE run = ? AND type = ? ORDER BY position DESC
                """
            let arguments: StatementArguments = [run.bytes.blob, FrameType.command.rawValue]
            let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
            while let row = try rows.next() {
                let command = row.json("data").value
                guard command["kind"] == "stop", let by = command["by"]?.string else { continue }
                return (by, row.timestamp("time"), command["command"]?.string.flatMap { CommandID($0) })
            }
            return nil
        }
    }

    /// Keeps the answer to a command that is no transition of one run. The first one stays.
    public func record(_ command: CommandRecord, _ audit: AuditDraft? = nil) async throws(BelfryError) {
        try await writer.perform { transaction in
            try transaction.record(command)
            if let audit { try transaction.append(audit) }
        }
    }
}

extension ApprovalRecord {
    init(_ row: Row) throws(BelfryError) {
        self.init(
            id: try row.identifier("id"), run: try row.identifier("run"), rule: row.text("rule"),
            step: Int(row.int("step")), name: row.text("name"), message: row.text("message"),
            schema: row.optionalJSON("schema"),
            guards: row.json("guards").value.array?.compactMap(\.string) ?? [], digest: row.bytes("digest"),
            requested: row.timestamp("requested"), expires: row.timestamp("expires"))
        sequence = row.int("sequence")
        call = row.optionalJSON("call")
        decision = row.optionalText("decision").flatMap(Decision.init(rawValue:))
        decided = row.optionalTimestamp("decided")
        decidedBy = row.optionalText("decided_by")
        value = row.optionalJSON("value")
        reason = row.optionalText("reason")
    }
}

extension WriteTransaction {
    /// Asks, or says what was decided.
    func store(_ approval: ApprovalRecord) throws {
        try execute(
            """
            INSERT INTO approvals (id, run, rule, step, name, message, schema, guards, digest, requested, expires,
                decision, decided, decided_by, value, reason, call)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET
                decision = excluded.decision, decided = excluded.decided, decided_by = excluded.decided_by,
                value = excluded.value, reason = excluded.reason
            """,
            [
                approval.id.bytes.blob, approval.run.bytes.blob, approval.rule, approval.step, approval.name,
                approval.message.blob, approval.schema?.blob,
                RawJSON(.array(approval.guards.map(JSONValue.string))).blob, approval.digest.blob,
                approval.requested.milliseconds, approval.expires.milliseconds, approval.decision?.rawValue,
                approval.decided?.milliseconds, approval.decidedBy?.blob, approval.value?.blob, approval.reason?.blob,
                approval.call?.blob,
            ]
        )
    }

    func record(_ command: CommandRecord) throws {
        try execute(
            """
            INSERT INTO commands (principal, id, run, kind, digest, created, decided, answer)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (principal, id) DO NOTHING
            """,
            [
                command.principal.blob, command.id.bytes.blob, command.run?.bytes.blob, command.kind,
                command.digest.blob, now.milliseconds, now.milliseconds, command.answer.blob,
            ]
        )
    }
}
