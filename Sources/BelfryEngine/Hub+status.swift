public import BelfryCore
import BelfryStore

extension Hub {
    /// What an operator asks first: `{paused, paused_sources, rules_folder, problems, store}`.
    public var status: JSONObject {
        let snapshot = registry.snapshot
        let paused = snapshot.records.values.filter { $0.kind == .source && $0.isPaused }.map(\.name).sorted()
        let settings = store.settings
        var status: JSONObject = [
            "paused": .bool(snapshot.isAllPaused),
            "paused_sources": .array(paused.map(JSONValue.string)),
            "problems": .array(registry.broken.prefix(Limits.brokenNoticesMax).map(\.problem)),
            "store": [
                "synchronous": .int(settings.synchronous), "page_size": .int(settings.pageBytes),
                "journal_mode": .string(settings.journalMode),
            ],
        ]
        if let rulesFolder {
            status["rules_folder"] = ["path": .string(rulesFolder.path), "error": .optional(rulesFolder.error)]
        }
        return status
    }

    /// Whether there is any document.
    public var hasDocuments: Bool { !registry.snapshot.records.isEmpty }

    /// Whether files own any document: then a rules folder was applied before.
    public var hasFileDocuments: Bool { registry.snapshot.records.values.contains { $0.owner == .file } }
}

extension Notice {
    /// `{title, text, rule?, source?}`
    fileprivate var problem: JSONValue {
        var problem: JSONObject = ["title": .string(title), "text": .string(text)]
        if let rule { problem["rule"] = .string(rule) }
        if let source { problem["source"] = .string(source) }
        return .object(problem)
    }
}
