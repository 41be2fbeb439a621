public import BelfryCore
import GRDB

/// A rule whose breaker is open: too many of its runs have failed, one after the other, so it starts none until an
/// operator enables it again.
public struct BrokenRule: Sendable, Hashable {
    public var since: Timestamp
    /// For a person: how many failed, and of what the last one did.
    public var reason: String

    public init(since: Timestamp, reason: String) {
        self.since = since
        self.reason = reason
    }

    /// From a row of `rule_state`; nil if the breaker is closed.
    init?(_ row: Row) {
        guard let since = row.optionalTimestamp("broken_since") else { return nil }
        self.init(since: since, reason: row.text("broken_reason"))
    }
}

extension WriteTransaction {
    /// Counts the end of a run: failures in a row open the rule's breaker, a success begins the count anew. What an
    /// operator, a crash or an empty budget has ended says nothing of the rule.
    func countForBreaker(_ run: RunRecord, limits: RuleLimits) throws {
        switch (run.state, run.reason) {
        case (.succeeded, _):
            try execute("UPDATE rule_state SET failures = 0 WHERE rule = ? AND failures > 0", [run.rule])
        case (.failed, .interrupted), (.failed, .budget):
            break
        case (.failed, _):
            let failures = try countFailure(of: run.rule)
            if limits.failures > 0, failures >= limits.failures { try openBreaker(after: run, failures: failures) }
        default:
            break
        }
    }

    /// - Returns: how many it has now; 0 for a rule that is broken already.
    private func countFailure(of rule: String) throws -> Int {
        let sql = """
            INSERT INTO rule_state (rule, failures, changed, changed_by) VALUES (?, 1, ?, ?)
            ON CONFLICT (rule) DO UPDATE SET failures = failures + 1 RETURNING failures, broken_since
            """
        let row = try row(sql, [rule, now.milliseconds, Principal.hub.name.blob])
        guard let row, row.optionalTimestamp("broken_since") == nil else { return 0 }
        return Int(row.int("failures"))
    }

    private func openBreaker(after run: RunRecord, failures: Int) throws {
        let last = (run.error?.message ?? run.reason?.rawValue ?? "").plain(bytesMax: Limits.brokenReasonBytesMax)
        let broken = BrokenRule(since: now, reason: "\(failures.counted("run")) in a row failed, the last of: \(last)")
        try execute(
            "UPDATE rule_state SET broken_since = ?, broken_reason = ? WHERE rule = ?",
            [broken.since.milliseconds, broken.reason.blob, run.rule]
        )
        var detail: JSONObject = ["failures": .int(failures), "run": .string(run.id.description)]
        if let error = run.error { detail["code"] = .string(error.code) }
        try append(AuditDraft(by: .hub, action: "rule.broken", subject: "rule/\(run.rule)", detail: detail))
        _ = try announceRules(bumpsVersion: false, by: .hub) { writer in
            writer.member("rule", run.rule)
            writer.member(
                "broken", ["since": .string(broken.since.description), "reason": .string(broken.reason)])
        }
        let notice = Notice(
            .ruleBroken, .error, title: "rule \(run.rule) is broken",
            text: "\(broken.reason). Its matches start nothing until: belfry rules enable \(run.rule)", run: run.id,
            rule: run.rule
        )
        try append(notice.frame(at: now))
    }

    /// Begins the count of failures anew.
    /// - Returns: whether the breaker was open.
    func closeBreaker(of rule: String) throws -> Bool {
        let row = try row("SELECT broken_since, failures FROM rule_state WHERE rule = ?", [rule])
        guard let row, row.int("failures") > 0 || row.optionalTimestamp("broken_since") != nil else { return false }
        try execute(
            "UPDATE rule_state SET failures = 0, broken_since = NULL, broken_reason = NULL WHERE rule = ?", [rule]
        )
        return row.optionalTimestamp("broken_since") != nil
    }
}
