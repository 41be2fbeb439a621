import BelfryCore
import BelfryCrypto
import Foundation
import GRDB

extension WriteTransaction {
    func apply(_ plan: DocumentPlan, by principal: Principal) throws -> AppliedPlan {
        var applied = try plan.resolve(against: DocumentSet(db, plan.touched))
        guard !applied.changes.isEmpty else { return applied }
        for change in applied.changes {
            try store(change, owner: plan.owner, by: principal)
            // One that only went missing from the folder may come back, and its sender still has the secret.
            if change.id.kind == .source, plan.removals.contains(change.id) {
                try removeSecrets(source: change.id.name, by: principal)
                // Publishers need no document: nobody could resume what they bring.
                try execute("DELETE FROM source_state WHERE source = ?", [change.id.name])
            }
        }
        // What waited behind a rule's old state may go on.
        hasQueuedRuns = true
        applied.ruleSetVersion = try announceRules(by: principal) { writer in
            var unnamed = 0
            for (key, names) in [
                ("created", applied.created), ("changed", applied.changed), ("removed", applied.removed),
            ] {
                writer.key(key)
                writer.beginArray()
                for name in names.prefix(Limits.changesNamedMax) { writer.string(name.description) }
                writer.endArray()
                unnamed += max(0, names.count - Limits.changesNamedMax)
            }
            if unnamed > 0 { writer.member("unnamed", Int64(unnamed)) }
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

    private func store(_ change: DocumentChange, owner: DocumentOwner, by principal: Principal) throws {
        let id = change.id
        let version = try nextVersion(of: id)
        let owner = change.after == nil ? change.before?.owner ?? owner : owner
        if let draft = change.after {
            try execute(
                """
                INSERT OR REPLACE INTO documents (kind, name, owner, version, updated, updated_by, text, canonical)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    id.kind.rawValue, id.name, owner.rawValue, version, now.milliseconds, principal.name.blob,
                    draft.text.blob, draft.canonical.blob,
                ]
            )
        } else {
            try execute("DELETE FROM documents WHERE kind = ? AND name = ?", [id.kind.rawValue, id.name])
        }
        try keepVersion(version, change, owner: owner, by: principal)
        guard id.kind == .rule else { return }
        switch change.change {
        // A rule that comes back comes back switched on: what disabled it was said of the one that is gone.
        case .created: try execute("DELETE FROM rule_state WHERE rule = ?", [id.name])
        case .removed: try setRuleState(id.name, column: .removed, to: true, by: principal)
        case .changed: break
        }
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
        _ version: Int64, _ change: DocumentChange, owner: DocumentOwner, by principal: Principal
    ) throws {
        guard let text = change.after?.text ?? change.before?.text,
            let canonical = change.after?.canonical ?? change.before?.canonical
        else { return }
        let keys = JSONValue.array(change.keys.map(JSONValue.string))
        try execute(
            """
            INSERT INTO document_versions (kind, name, version, owner, change, created, created_by, text, canonical,
                keys, restored)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                change.id.kind.rawValue, change.id.name, version, owner.rawValue, change.change.rawValue,
                now.milliseconds, principal.name.blob, text.blob, canonical.blob, RawJSON(keys).blob,
                change.after?.restored,
            ]
        )
        var detail: JSONObject = [
            "version": .int(version), "owner": .string(owner.rawValue),
            "digest": .string(Hex.encode(Digest.sha256(canonical.bytes))),
        ]
        if let before = change.before {
            detail["version_before"] = .int(before.version)
            if before.owner != owner { detail["owner_before"] = .string(before.owner.rawValue) }
        }
        if change.change == .changed { detail["keys"] = keys }
        if let restored = change.after?.restored { detail["restored"] = .int(restored) }
        let verb = change.after?.restored == nil ? change.change.rawValue : "rolled_back"
        try append(
            AuditDraft(
                by: principal, action: "\(change.id.kind.rawValue).\(verb)", subject: change.id.description,
                detail: detail
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
