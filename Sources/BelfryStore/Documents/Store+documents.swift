public import BelfryCore
import GRDB

extension Store {
    /// Everything that holds now, in one snapshot.
    public func documents() async throws(BelfryError) -> DocumentSet {
        try await read { db in try DocumentSet(db) }
    }

    /// What holds now of these documents, in one snapshot.
    public func documents(_ names: [DocumentName]) async throws(BelfryError) -> DocumentSet {
        try await read { db in try DocumentSet(db, names) }
    }

    /// What ``apply(_:by:)`` would do.
    /// - Throws: The same as it.
    public func preview(_ plan: DocumentPlan) async throws(BelfryError) -> AppliedPlan {
        try await read { db in
            try plan.resolve(against: DocumentSet(db, plan.touched))
        }
    }

    /// Creates, changes and removes documents, all or nothing, with a version, an audit entry each and one RULES frame.
    /// A plan that changes nothing writes nothing.
    /// - Throws: `managed_by_file` or `conflict` for a document of the other owner, `precondition_failed` for another
    ///   version than expected, `not_found` for a removal of what is not there.
    public func apply(_ plan: DocumentPlan, by principal: Principal) async throws(BelfryError) -> AppliedPlan {
        let bytes = plan.documents.reduce(0) { $0 + $1.text.utf8.count + $1.canonical.bytes.count }
        return try await writer.perform(bytes: bytes) { transaction in try transaction.apply(plan, by: principal) }
    }

    /// The versions of a document, newest first, also of one that was removed; without their texts.
    /// - Throws: `not_found` if there never was one.
    public func history(
        of name: DocumentName, cursor: String? = nil, max: Int = Limits.pageRowsDefault
    ) async throws(BelfryError) -> Page<DocumentVersionSummary> {
        var query = ListQuery(
            "SELECT version, owner, change, keys, restored, created, created_by FROM document_versions",
            order: "version"
        )
        query.require("kind = ?", name.kind.rawValue)
        query.require("name = ?", name.name)
        try query.start(after: cursor)
        let page = try await page(query, max: max, sequence: { $0.version }) { row, _ in
            try DocumentVersionSummary(row)
        }
        guard !page.items.isEmpty || cursor != nil else { throw BelfryError(.notFound, "there is no \(name)") }
        return page
    }

    /// All versions of a document, newest first, also of one that was removed.
    /// - Throws: `not_found` if there never was one.
    public func versions(of name: DocumentName) async throws(BelfryError) -> [DocumentVersion] {
        let versions = try await read { db in
            let sql = "SELECT * FROM document_versions WHERE kind = ? AND name = ? ORDER BY version DESC LIMIT ?"
            return try Row.fetchAll(
                db.cachedStatement(sql: sql), arguments: [name.kind.rawValue, name.name, Limits.pageRowsMax]
            ).map { try DocumentVersion($0) }
        }
        guard !versions.isEmpty else { throw BelfryError(.notFound, "there is no \(name)") }
        return versions
    }

    /// One version of a document: what a run that was matched with it goes on with.
    public func version(_ version: Int64, of name: DocumentName) async throws(BelfryError) -> DocumentVersion {
        let found = try await read { db in
            let sql = "SELECT * FROM document_versions WHERE kind = ? AND name = ? AND version = ?"
            return try Row.fetchOne(
                db.cachedStatement(sql: sql), arguments: [name.kind.rawValue, name.name, version]
            ).map { try DocumentVersion($0) }
        }
        guard let found else { throw BelfryError(.notFound, "there is no version \(version) of \(name)") }
        return found
    }

    // MARK: Switches

    /// Enables or disables a rule, beside what its document says. Enabling also closes its breaker.
    /// - Returns: The version of the rule set that holds then.
    @discardableResult
    public func setEnabled(
        _ isEnabled: Bool, rule: String, by principal: Principal
    ) async throws(BelfryError) -> Int64 {
        try await writer.perform { transaction in
            let isChanged = try transaction.document(DocumentName(.rule, rule)).isEnabled != isEnabled
            let wasBroken = isEnabled ? try transaction.closeBreaker(of: rule) : false
            guard isChanged || wasBroken else { return try transaction.meta("ruleset_version") }
            try transaction.setRuleState(rule, column: .enabled, to: isEnabled, by: principal)
            let action = isEnabled ? "rule.enabled" : "rule.disabled"
            try transaction.append(AuditDraft(by: principal, action: action, subject: "rule/\(rule)"))
            // What had waited may go on.
            if isEnabled { transaction.hasQueuedRuns = true }
            return try transaction.announceRules(bumpsVersion: isChanged, by: principal) { writer in
                writer.member("rule", rule)
                writer.member("enabled", .bool(isEnabled))
                if wasBroken { writer.member("broken", .null) }
            }
        }
    }

    /// Pauses a source: its deliveries are verified and stored, and start nothing.
    public func setPaused(_ isPaused: Bool, source: String, by principal: Principal) async throws(BelfryError) {
        try await writer.perform { transaction in
            guard try transaction.document(DocumentName(.source, source)).isPaused != isPaused else { return }
            try transaction.setPaused(isPaused, source: source, by: principal)
            let action = isPaused ? "source.paused" : "source.resumed"
            try transaction.append(AuditDraft(by: principal, action: action, subject: "source/\(source)"))
            _ = try transaction.announceRules(bumpsVersion: false, by: principal) { writer in
                writer.member("source", source)
                writer.member("paused", .bool(isPaused))
            }
        }
    }

    /// Pauses everything: events are stored, nothing starts.
    public func setAllPaused(_ isPaused: Bool, by principal: Principal) async throws(BelfryError) {
        try await writer.perform { transaction in
            guard try (transaction.meta("all_paused") != 0) != isPaused else { return }
            try transaction.setMeta("all_paused", isPaused ? 1 : 0)
            let action = isPaused ? "hub.paused" : "hub.resumed"
            try transaction.append(AuditDraft(by: principal, action: action, subject: "hub"))
            if !isPaused { transaction.hasQueuedRuns = true }
            _ = try transaction.announceRules(bumpsVersion: false, by: principal) { writer in
                writer.member("all_paused", .bool(isPaused))
            }
        }
    }
}
