public import BelfryCore
import GRDB

extension Store {
    /// What is known of the rules beside their documents; one that is not listed has nothing special.
    public func ruleStates() async throws(BelfryError) -> [String: RuleState] {
        try await read { db in
            let rows = try Row.fetchAll(db.cachedStatement(sql: "SELECT * FROM rule_state WHERE removed = 0"))
            return Dictionary(rows.map { ($0.text("rule"), RuleState($0)) }, uniquingKeysWith: { $1 })
        }
    }

    /// What is known of one rule beside its document.
    public func ruleState(of rule: String) async throws(BelfryError) -> RuleState {
        try await read { db in
            let sql = "SELECT * FROM rule_state WHERE rule = ? AND removed = 0"
            return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [rule]).map { RuleState($0) }
        } ?? RuleState()
    }

    /// Lets a rule only record its matches, beside what its document says; or ends that.
    public func setObserving(_ isObserving: Bool, rule: String, by principal: Principal) async throws(BelfryError) {
        try await writer.perform { transaction in
            guard try transaction.ruleState(of: rule).isObserving != isObserving else { return }
            try transaction.setRuleState(rule, column: .observed, to: isObserving, by: principal)
            let action = isObserving ? "rule.observed" : "rule.unobserved"
            try transaction.append(AuditDraft(by: principal, action: action, subject: "rule/\(rule)"))
            _ = try transaction.announceRules(bumpsVersion: false, by: principal) { writer in
                writer.member("rule", rule)
                writer.member("observe", .bool(isObserving))
            }
        }
    }

    /// Lets the matches of a rule start nothing and tell nobody until then; nil ends that now.
    public func mute(
        rule: String, until: Timestamp?, by principal: Principal
    ) async throws(BelfryError) {
        try await writer.perform { transaction in
            let current = try transaction.ruleState(of: rule).mute(at: transaction.now)
            guard until != nil || current != nil else { return }
            try transaction.setMute(rule, until: until, by: principal)
            try transaction.append(
                AuditDraft(
                    by: principal, action: until == nil ? "rule.unmuted" : "rule.muted", subject: "rule/\(rule)",
                    detail: until.map { ["until": .string($0.description)] } ?? [:]
                )
            )
            _ = try transaction.announceRules(bumpsVersion: false, by: principal) { writer in
                writer.member("rule", rule)
                writer.member("muted_until", .optional(until?.description))
            }
        }
    }
}

extension WriteTransaction {
    /// - Throws: `not_found` for a rule without a document.
    func ruleState(of rule: String) throws -> RuleState {
        _ = try document(DocumentName(.rule, rule))
        return try row("SELECT * FROM rule_state WHERE rule = ?", [rule]).map { RuleState($0) } ?? RuleState()
    }

    func setMute(_ rule: String, until: Timestamp?, by principal: Principal) throws {
        let name = principal.name.blob
        try execute(
            """
            INSERT INTO rule_state (rule, muted_until, muted_by, changed, changed_by) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (rule) DO UPDATE SET
                muted_until = excluded.muted_until, muted_by = excluded.muted_by, changed = excluded.changed,
                changed_by = excluded.changed_by
            """,
            [rule, until?.milliseconds, name, now.milliseconds, name]
        )
    }
}
