import BelfryCore
import Foundation
import GRDB

/// The rows of groups.
extension WriteTransaction {
    func openGroup(rule: String, key: [UInt8]) throws -> StoredGroup? {
        let sql =
            "SELECT * FROM match_groups INDEXED BY match_groups_open WHERE rule = ? AND key = ? AND closed IS NULL"
        return try row(sql, [rule, key.blob]).map { try StoredGroup($0) }
    }

    func openGroup(_ id: GroupID) throws -> StoredGroup? {
        try row("SELECT * FROM match_groups WHERE id = ? AND closed IS NULL", [id.bytes.blob]).map {
            try StoredGroup($0)
        }
    }

    func openGroups(of rule: String) throws -> Int {
        Int(try row("SELECT count FROM open_groups WHERE rule = ?", [rule])?.int("count") ?? 0)
    }

    private func countOpenGroups(of rule: String, by difference: Int) throws {
        try execute(
            "INSERT INTO open_groups (rule, count) VALUES (?, ?) ON CONFLICT (rule) DO UPDATE SET count = count + ?",
            [rule, max(difference, 0), difference])
    }

    /// A new group; the one in whose place it comes is over. The alerts that fire already go on in it.
    func open(
        _ machine: MatchGroup, _ match: MatchRequest, _ membership: GroupMembership, event: EventID,
        inPlaceOf earlier: StoredGroup?
    ) throws -> StoredGroup {
        let group = StoredGroup(
            id: GroupID(at: now), match: match, key: membership.key.bytes, machine: machine, event: event)
        if membership.subject != nil,
            let holder = try earlier?.id ?? lastUnfinishedRun(rule: group.rule, key: group.key)?.group
        {
            try moveSubjects(from: holder, to: group.id)
        }
        if let earlier { try close(earlier, outcome: nil, detail: nil) }
        try execute(
            """
            INSERT INTO match_groups (id, rule, rule_version, key, shown, count, opened, last, last_event, policy, state)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                group.id.bytes.blob, group.rule, group.ruleVersion, group.key.blob, membership.key.values.blob,
                machine.count, machine.opened.milliseconds, machine.last.milliseconds, event.bytes.blob,
                machine.policy.json.blob, group.state.json.blob,
            ])
        try countOpenGroups(of: group.rule, by: 1)
        return group
    }

    /// Writes what has changed of an open group, and its timer.
    func store(_ group: StoredGroup) throws {
        var runCreated: Timestamp?
        var hasEnded = false
        if case .started(let at, let ended) = group.machine.phase { (runCreated, hasEnded) = (at, ended) }
        try execute(
            """
            UPDATE match_groups SET rule_version = ?, count = ?, last = ?, last_event = ?, run = ?, run_created = ?,
                run_ended = ?, policy = ?, state = ?
            WHERE id = ?
            """,
            [
                group.ruleVersion, group.machine.count, group.machine.last.milliseconds, group.lastEvent.bytes.blob,
                group.run?.bytes.blob, runCreated?.milliseconds, hasEnded, group.machine.policy.json.blob,
                group.state.json.blob, group.id.bytes.blob,
            ])
        if group.machine.due != group.storedDue { try setDue(of: group) }
    }

    /// Sets the group's timer, or takes it away.
    func setDue(of group: StoredGroup) throws {
        let due = group.machine.due
        try execute("UPDATE match_groups SET due = ? WHERE id = ?", [due?.milliseconds, group.id.bytes.blob])
        try setTimer(.group, subject: group.id.bytes, due: due)
    }

    /// - Parameter outcome: what became of its matches, where it has started nothing.
    func close(_ group: StoredGroup, outcome: Outcome?, detail: String?) throws {
        try execute(
            """
            UPDATE match_groups SET closed = ?, outcome = ?, detail = ?, due = NULL, count = ?, last = ?, last_event = ?,
                state = ?
            WHERE id = ?
            """,
            [
                now.milliseconds, outcome?.rawValue, detail?.blob, group.machine.count,
                group.machine.last.milliseconds, group.lastEvent.bytes.blob, group.state.json.blob,
                group.id.bytes.blob,
            ])
        try leaveSubjects(of: group.id, rule: group.rule, key: group.key)
        try setTimer(.group, subject: group.id.bytes, due: nil)
        try countOpenGroups(of: group.rule, by: -1)
        guard let outcome else { return }
        try append(
            AuditDraft(
                by: .hub, action: "group.\(outcome.rawValue)", subject: group.id.description,
                detail: ["count": .int(group.machine.count), "rule": .string(group.rule)]))
    }

    // MARK: Alerts that fire

    /// No more than ``Limits/groupSubjectsMax``.
    func remember(_ subject: String, in group: GroupID) throws {
        guard try subjects(of: group) < Limits.groupSubjectsMax else { return }
        try execute(
            "INSERT OR IGNORE INTO group_subjects (match_group, subject) VALUES (?, ?)",
            [group.bytes.blob, subject.blob])
    }

    func forget(_ subject: String, in group: GroupID) throws {
        try execute(
            "DELETE FROM group_subjects WHERE match_group = ? AND subject = ?", [group.bytes.blob, subject.blob])
    }

    func forgetSubjects(in group: GroupID) throws {
        try execute("DELETE FROM group_subjects WHERE match_group = ?", [group.bytes.blob])
    }

    /// A group, or its run, is over: what still fires is kept with the last run of the key that is not, whose group may
    /// be closed; without one nothing is left to resolve.
    func leaveSubjects(of group: GroupID, rule: String, key: [UInt8]) throws {
        guard try subjects(of: group) > 0 else { return }
        if let heir = try lastUnfinishedRun(rule: rule, key: key)?.group, heir != group {
            try moveSubjects(from: group, to: heir)
        } else {
            try forgetSubjects(in: group)
        }
    }

    private func moveSubjects(from group: GroupID, to other: GroupID) throws {
        try execute(
            "UPDATE OR REPLACE group_subjects SET match_group = ? WHERE match_group = ?",
            [other.bytes.blob, group.bytes.blob])
    }

    func subjects(of group: GroupID) throws -> Int {
        let sql = "SELECT count(*) AS count FROM group_subjects WHERE match_group = ?"
        return Int(try row(sql, [group.bytes.blob])?.int("count") ?? 0)
    }
}
