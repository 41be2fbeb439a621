public import BelfryCore
import BelfryRules
import BelfrySources
import BelfryStore

/// Documents as the API lists and shows them.
extension Hub {
    /// `{name, about, enabled, mode, muted_until?, muted_by?, broken?, owner, version, updated, runs, last_run}` per rule;
    /// `enabled` and `mode` as they are in effect.
    public func rules() async throws(BelfryError) -> [JSONObject] {
        let activity = Dictionary(try await store.ruleActivity().map { ($0.rule, $0) }, uniquingKeysWith: { $1 })
        let states = try await store.ruleStates()
        let snapshot = registry.snapshot
        return snapshot.records(of: .rule).map { record in
            ruleItem(record, snapshot, state: states[record.name] ?? RuleState(), activity: activity[record.name])
        }
    }

    /// The item of ``rules()`` with `text` and `document`; nil if there is none.
    public func rule(_ name: String) async throws(BelfryError) -> JSONObject? {
        let snapshot = registry.snapshot
        guard let record = snapshot.records[DocumentName(.rule, name)] else { return nil }
        let activity = try await store.ruleActivity(of: name)
        let state = try await store.ruleState(of: name)
        var item = ruleItem(record, snapshot, state: state, activity: activity)
        item["text"] = .string(record.text)
        item["document"] = record.canonical.value
        return item
    }

    private func ruleItem(
        _ record: DocumentRecord, _ snapshot: Registry.Snapshot, state: RuleState, activity: RuleActivity?
    ) -> JSONObject {
        var item = record.json
        if let mute = state.mute(at: configuration.clock.now()) {
            item["muted_until"] = .string(mute.until.description)
            item["muted_by"] = .string(mute.by)
        }
        if let broken = state.broken {
            item["broken"] = ["since": .string(broken.since.description), "reason": .string(broken.reason)]
        }
        guard let rule = snapshot.rules[record.name] else {
            item["enabled"] = false
            item["problem"] = .optional(snapshot.problems[record.id])
            return item
        }
        item["about"] = .optional(rule.about)
        item["enabled"] = .bool(rule.isEnabled && state.isEnabled)
        item["mode"] = .string(rule.observesOnly || state.isObserving ? "observe" : "run")
        item["runs"] = .int(activity?.runs ?? 0)
        item["last_run"] = .optional(activity?.lastRun?.description)
        return item
    }

    /// `{name, about, kind, owner, version, updated}` per agent.
    public func agents() -> [JSONObject] {
        registry.snapshot.records(of: .agent).map { agentItem($0) }
    }

    /// The item of ``agents()`` with `text` and `document`; nil if there is none.
    public func agent(_ name: String) -> JSONObject? {
        guard let record = registry.snapshot.records[DocumentName(.agent, name)] else { return nil }
        var item = agentItem(record)
        item["text"] = .string(record.text)
        item["document"] = record.canonical.value
        return item
    }

    private func agentItem(_ record: DocumentRecord) -> JSONObject {
        var item = record.json
        let document = record.canonical.value
        if let problem = registry.snapshot.problems[record.id] { item["problem"] = .string(problem) }
        item["about"] = document["about"] ?? .null
        item["kind"] = document["kind"] ?? .null
        item["model"] = document["model"]
        item["base_url"] = document["base_url"] ?? document["url"]
        return item
    }

    /// `{name, about, preset, paused, owner, path, status, last_event, refusals}` per source.
    public func sources() async throws(BelfryError) -> [JSONObject] {
        let activity = Dictionary(try await store.sourceActivity().map { ($0.source, $0) }, uniquingKeysWith: { $1 })
        let snapshot = registry.snapshot
        return snapshot.records(of: .source).map { record in
            sourceItem(record, snapshot, activity: activity[record.name])
        }
    }

    /// The item of ``sources()`` with `text` and `document`; nil if there is none.
    /// - Parameter revealing: adds `secrets` and `set_up`, for who may change them.
    public func source(_ name: String, revealing: Bool) async throws(BelfryError) -> JSONObject? {
        let snapshot = registry.snapshot
        guard let record = snapshot.records[DocumentName(.source, name)] else { return nil }
        let activity = try await store.sourceActivity().first { $0.source == name }
        var item = sourceItem(record, snapshot, activity: activity)
        item["text"] = .string(record.text)
        item["document"] = record.canonical.value
        if revealing, let secrets = try? snapshot.sources[name]?.secrets(at: configuration.clock.now()) {
            item["secrets"] = .array(
                secrets.map { secret in
                    var json: JSONObject = [
                        "name": .string(secret.name), "value": .string(secret.secret.text),
                    ]
                    if let expires = secret.expires { json["ends"] = .string(expires.description) }
                    return .object(json)
                }
            )
        }
        return item
    }

    private func sourceItem(
        _ record: DocumentRecord, _ snapshot: Registry.Snapshot, activity: SourceActivity?
    ) -> JSONObject {
        var item = record.json
        guard let source = snapshot.sources[record.name] else {
            item["status"] = .string(BelfryError.Code.invalidDocument.rawValue)
            item["problem"] = .optional(snapshot.problems[record.id])
            return item
        }
        item["about"] = .optional(source.definition.about)
        item["preset"] = .string(source.definition.preset.rawValue)
        item["paused"] = .bool(record.isPaused || snapshot.isAllPaused)
        item["path"] = .string("/hooks/\(record.name)")
        item["last_event"] = .optional(activity?.lastEvent?.description)
        item["refusals"] = .int(activity?.refusals ?? 0)
        switch source.secrets {
        case .success: item["status"] = source.definition.isRetired ? "retired" : "ready"
        case .failure(let error):
            item["status"] = .string(error.code.rawValue)
            item["problem"] = .string(error.message)
        }
        return item
    }
}

extension Registry.Snapshot {
    /// By name.
    fileprivate func records(of kind: DocumentKind) -> [DocumentRecord] {
        records.values.filter { $0.kind == kind }.sorted { $0.name < $1.name }
    }
}

extension DocumentRecord {
    fileprivate var json: JSONObject {
        [
            "name": .string(name), "owner": .string(owner.rawValue), "version": .int(version),
            "updated": .string(updated.description), "updated_by": .string(updatedBy),
        ]
    }
}
