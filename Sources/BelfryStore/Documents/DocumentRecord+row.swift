import BelfryCore
import GRDB

extension DocumentRecord {
    static let selection = """
        SELECT d.kind, d.name, d.owner, d.version, d.updated, d.updated_by, d.text, d.canonical,
            coalesce(r.enabled, 1) AS enabled, coalesce(s.paused, 0) AS paused
        FROM documents d
        LEFT JOIN rule_state r ON d.kind = 'rule' AND r.rule = d.name
        LEFT JOIN source_state s ON d.kind = 'source' AND s.source = d.name
        """

    init(_ row: Row) throws(BelfryError) {
        kind = try row.word("kind")
        name = row.text("name")
        owner = try row.word("owner")
        version = row.int("version")
        text = row.text("text")
        canonical = row.json("canonical")
        updated = row.timestamp("updated")
        updatedBy = row.text("updated_by")
        isEnabled = row.flag("enabled")
        isPaused = row.flag("paused")
    }
}

extension DocumentSet {
    /// - Parameter names: which documents; nil for all.
    init(_ db: Database, _ names: [DocumentName]? = nil) throws {
        let meta = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT name, value FROM meta WHERE name IN ('ruleset_version', 'all_paused')")
        )
        func value(_ name: String) -> Int64 { meta.first { $0.text("name") == name }?.int("value") ?? 0 }
        ruleSetVersion = value("ruleset_version")
        isAllPaused = value("all_paused") != 0
        if let names {
            let statement = try db.cachedStatement(sql: DocumentRecord.selection + " WHERE d.kind = ? AND d.name = ?")
            documents = try Set(names).compactMap { name in
                try Row.fetchOne(statement, arguments: [name.kind.rawValue, name.name]).map { try DocumentRecord($0) }
            }
            return
        }
        let sql = DocumentRecord.selection + " ORDER BY d.kind, d.name"
        documents = try Row.fetchAll(db.cachedStatement(sql: sql)).map { try DocumentRecord($0) }
    }
}

extension DocumentVersionSummary {
    init(_ row: Row) throws(BelfryError) {
        version = row.int("version")
        owner = try row.word("owner")
        change = try row.word("change")
        keys = row.optionalText("keys") == nil ? nil : row.json("keys").value.array?.compactMap(\.string)
        restored = row["restored"] as Int64?
        created = row.timestamp("created")
        createdBy = row.text("created_by")
    }
}

extension DocumentVersion {
    init(_ row: Row) throws(BelfryError) {
        kind = try row.word("kind")
        name = row.text("name")
        version = row.int("version")
        owner = try row.word("owner")
        change = try row.word("change")
        text = row.text("text")
        canonical = row.json("canonical")
        created = row.timestamp("created")
        createdBy = row.text("created_by")
    }
}
