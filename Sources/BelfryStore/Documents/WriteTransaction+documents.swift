import BelfryCore
import BelfryCrypto
import Foundation
import GRDB

extension WriteTransaction {
    func apply(_ plan: DocumentPlan, by principal: Principal) throws -> AppliedPlan {
        let current = try DocumentSet(db)
        let resolution = try plan.resolve(against: current.documents)
        var applied = resolution.applied(ruleSetVersion: current.ruleSetVersion)
        guard !applied.changesNothing else { return applied }
        for change in resolution.changes { try store(change, owner: plan.owner, by: principal) }
        for record in resolution.removals {
            try remove(record, by: principal)
            // One that only went missing from the folder may come back, and its sender still has the secret.
            if record.kind == .source, plan.removals.contains(record.id) {
                try removeSecrets(source: record.name, by: principal)
                // Publishers need no document: nobody could resume what they bring.
                try execute("DELETE FROM source_state WHERE source = ?", [record.name])
            }
        }
        // What waited behind a rule's old state may go on.
        hasQueuedRuns = true
        applied.ruleSetVersion = try announceRules(by: principal) { writer in
            for (key, names) in [
                ("created", applied.created), ("changed", applied.changed), ("removed", applied.removed),
            ] {
                writer.key(key)
                writer.beginArray()
                for name in names { writer.string(name.description) }
                writer.endArray()
            }
        }
        return applied
    }

    /// A new version of the rule set, and the RULES frame that says so.
    func announceRules(
        bumpsVersion: Bool = true, by principal: Principal, _ members: (inout JSONWriter) -> Void
    ) throws -> Int64 {
        let version = try meta("ruleset_version") + (bumpsVersion ? 1 : 0)
        if bumpsVersion { try setMeta("ruleset_version", version) }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("ruleset_version", version)
        writer.member("by", principal.name)
        members(&writer)
        writer.endObject()
        try append(DraftFrame(time: now, topic: .rules, type: .rules, data: RawJSON(trusted: writer.bytes)))
        hasRuleChanges = true
        return version
    }

    private func store(
        _ change: DocumentPlan.Resolution.Change, owner: DocumentOwner, by principal: Principal
    ) throws {
        let draft = change.draft
        let version = try nextVersion(of: draft.id)
        try execute(
            """
            INSERT OR REPLACE INTO documents (kind, name, owner, version, updated, updated_by, text, canonical)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                draft.kind.rawValue, draft.name, owner.rawValue, version, now.milliseconds, principal.name.blob,
                draft.text.blob, draft.canonical.blob,
            ]
        )
        try keepVersion(
            version, of: draft.id, change: change.change, owner: owner, text: draft.text, canonical: draft.canonical,
            by: principal
        )
        // A rule that comes back comes back switched on: what disabled it was said of the one that is gone.
        if draft.kind == .rule, change.change == .created {
            try execute("DELETE FROM rule_state WHERE rule = ?", [draft.name])
        }
    }

    private func remove(_ record: DocumentRecord, by principal: Principal) throws {
        let version = try nextVersion(of: record.id)
        try execute("DELETE FROM documents WHERE kind = ? AND name = ?", [record.kind.rawValue, record.name])
        try keepVersion(
            version, of: record.id, change: .removed, owner: record.owner, text: record.text,
            canonical: record.canonical, by: principal
        )
        if record.kind == .rule { try setRuleState(record.name, column: .removed, to: true, by: principal) }
    }

    /// One more than any there was.
    private func nextVersion(of name: DocumentName) throws -> Int64 {
        let row = try row(
            "SELECT max(version) AS last FROM document_versions WHERE kind = ? AND name = ?",
            [name.kind.rawValue, name.name]
        )
        return (row?.int("last") ?? 0) + 1
    }

    private func keepVersion(
        _ version: Int64, of name: DocumentName, change: DocumentVersion.Change, owner: DocumentOwner, text: String,
        canonical: RawJSON, by principal: Principal
    ) throws {
        try execute(
            """
            INSERT INTO document_versions (kind, name, version, owner, change, created, created_by, text, canonical)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                name.kind.rawValue, name.name, version, owner.rawValue, change.rawValue, now.milliseconds,
                principal.name.blob, text.blob, canonical.blob,
            ]
        )
        try append(
            AuditDraft(
                by: principal, action: "\(name.kind.rawValue).\(change.rawValue)", subject: name.description,
                detail: JSONObject([
                    .init(key: "version", value: .int(version)),
                    .init(key: "owner", value: .string(owner.rawValue)),
                    .init(key: "digest", value: .string(Hex.encode(Digest.sha256(canonical.bytes)))),
                ])
            )
        )
    }

    // MARK: Switches

    enum RuleSwitch: String { case enabled, removed, observed }

    func setRuleState(_ rule: String, column: RuleSwitch, to value: Bool, by principal: Principal) throws {
        try execute(
            """
            INSERT INTO rule_state (rule, \(column.rawValue), changed, changed_by) VALUES (?, ?, ?, ?)
            ON CONFLICT (rule) DO UPDATE SET
                \(column.rawValue) = excluded.\(column.rawValue), changed = excluded.changed,
                changed_by = excluded.changed_by
            """,
            [rule, value, now.milliseconds, principal.name.blob]
        )
    }

    func setPaused(_ isPaused: Bool, source: String, by principal: Principal) throws {
        try execute(
            """
            INSERT INTO source_state (source, paused, changed, changed_by) VALUES (?, ?, ?, ?)
            ON CONFLICT (source) DO UPDATE SET
                paused = excluded.paused, changed = excluded.changed, changed_by = excluded.changed_by
            """,
            [source, isPaused, now.milliseconds, principal.name.blob]
        )
    }

    func document(_ name: DocumentName) throws -> DocumentRecord {
        let row = try row(
            DocumentRecord.selection + " WHERE d.kind = ? AND d.name = ?", [name.kind.rawValue, name.name]
        )
        guard let row else { throw BelfryError(.notFound, "there is no \(name)") }
        return try DocumentRecord(row)
    }
}
