public import BelfryCore
import BelfryRules
public import BelfryStore

/// A rule given as its text, or by name.
public enum RuleChoice: Sendable {
    /// `path` is what diagnostics call it.
    case text(String, path: String)
    case named(String)
}

/// An event given as it is, or by id.
public enum EventChoice: Sendable {
    case object(JSONValue)
    case stored(EventID)
}

extension Hub {
    /// Applies a set of files, all or nothing, and makes it live.
    ///
    /// - Parameters:
    ///   - owner: `file`: the set is the whole truth for its owner, what it does not name is removed;
    ///     `api`: the set is added to what is there.
    ///   - adopts: takes over documents of the other owner instead of refusing.
    ///   - prunes: removes what the API made and the set does not name.
    ///   - expectedVersion: of the one document that the set then holds.
    /// Throws `invalid_document` with all diagnostics in its details, `managed_by_file`, `precondition_failed`.
    public func applyDocuments(
        _ files: [(path: String, text: String)], owner: DocumentOwner = .api, dryRun: Bool = false,
        adopts: Bool = false, prunes: Bool = false, expectedVersion: Int64? = nil, by principal: Principal
    ) async throws(BelfryError) -> AppliedDocuments {
        let snapshot = registry.snapshot
        // A folder is the whole truth for its owner.
        let removesOthers = owner == .file || prunes
        // Agents of the owner that the set does not name are about to go.
        let staying = snapshot.agents.keys.filter { !removesOthers || snapshot.owner(ofAgent: $0) != owner }
        let documents = try load(files, knownAgents: Set(staying), server: configuration.server)
        var plan = DocumentPlan(
            owner: owner, documents: documents.map { DocumentDraft($0) }, removesOthers: removesOthers, adopts: adopts)
        if let expectedVersion {
            guard let draft = plan.documents.first, plan.documents.count == 1 else {
                throw BelfryError(
                    .malformed, "a version is expected of one document; there are \(plan.documents.count)")
            }
            plan.preconditions[draft.id] = expectedVersion == 0 ? .absent : .version(expectedVersion)
        }
        if removesOthers {
            let agents = Set(staying).union(documents.names(of: .agent))
            try checkReferences(in: snapshot, owner: owner, agents: agents, replaced: documents)
        }
        let applied = dryRun ? try await store.preview(plan) : try await apply(plan, by: principal)
        return AppliedDocuments(plan: applied, warnings: warnings(about: documents, isDryRun: dryRun))
    }

    /// Refuses what would leave a rule of the other owner without its agent.
    private func checkReferences(
        in snapshot: Registry.Snapshot, owner: DocumentOwner, agents: Set<String>, replaced: [Document]
    ) throws(BelfryError) {
        let replaced = Set(replaced.names(of: .rule))
        for record in snapshot.records.values
        where record.kind == .rule && record.owner != owner && !replaced.contains(record.name) {
            guard let rule = snapshot.rules[record.name] else { continue }
            if let agent = rule.agents.first(where: { !agents.contains($0) }) {
                throw BelfryError(
                    .invalidDocument,
                    "rule \(rule.name) uses the agent \(agent), which would be gone; keep the agent, or change the rule first"
                )
            }
        }
    }

    /// Puts the shipped documents into a store that has none yet. - Returns: nil if it had some.
    public func seedDocuments(_ files: [(path: String, text: String)]) async throws(BelfryError) -> AppliedDocuments? {
        guard registry.snapshot.records.isEmpty, registry.snapshot.ruleSet.version == 0 else { return nil }
        return try await applyDocuments(files, by: .hub)
    }

    /// Creates or changes the one document that `text` holds, which must be of this kind and name.
    /// - Returns: whether it was created.
    public func putDocument(
        _ id: DocumentName, text: String, precondition: DocumentPrecondition? = nil, by principal: Principal
    ) async throws(BelfryError) -> Bool {
        let applied = try await put(id, text: text, path: "body", precondition: precondition, by: principal)
        return !applied.created.isEmpty
    }

    /// - Parameters:
    ///   - path: what diagnostics call the text.
    ///   - restored: the version of the document whose content the text is.
    func put(
        _ id: DocumentName, text: String, path: String, restored: Int64? = nil, precondition: DocumentPrecondition?,
        adopts: Bool = false, by principal: Principal
    ) async throws(BelfryError) -> AppliedPlan {
        let documents = try load(
            [(path: path, text: text)], knownAgents: Set(registry.snapshot.agents.keys), server: configuration.server)
        guard documents.count == 1, let document = documents.first, document.kind == id.kind, document.name == id.name
        else {
            throw BelfryError(.invalidDocument, "the \(path) must hold one document, `\(id.kind.rawValue): \(id.name)`")
        }
        var plan = DocumentPlan(owner: .api, documents: [DocumentDraft(document, restored: restored)], adopts: adopts)
        plan.preconditions[id] = precondition
        return try await apply(plan, by: principal)
    }

    /// - Throws: `not_found`, `managed_by_file`, `precondition_failed`.
    public func removeDocument(
        _ id: DocumentName, precondition: DocumentPrecondition? = nil, by principal: Principal
    ) async throws(BelfryError) {
        try checkExists(id)
        var plan = DocumentPlan(owner: .api, removals: [id])
        plan.preconditions[id] = precondition
        _ = try await apply(plan, by: principal)
    }

    /// The rules that ask for a source by its name, sorted: without it they match only what is published as it.
    public func rules(namingSource source: String) -> [String] {
        registry.snapshot.rules.values.filter { $0.names(source: source) }.map(\.name).sorted()
    }

    /// An operator's switch on a rule; the document stays as it is.
    public func setEnabled(rule: String, _ isEnabled: Bool, by principal: Principal) async throws(BelfryError) {
        try checkExists(DocumentName(.rule, rule))
        try await store.setEnabled(isEnabled, rule: rule, by: principal)
        try await registry.reload([DocumentName(.rule, rule)])
        scheduler.wakeUp()
    }

    /// A paused source verifies and stores, and starts nothing.
    public func setPaused(source: String, _ isPaused: Bool, by principal: Principal) async throws(BelfryError) {
        try await store.setPaused(isPaused, source: source, by: principal)
        try await registry.reload([DocumentName(.source, source)])
    }

    /// Pauses or resumes everything.
    public func pauseAll(_ isPaused: Bool, by principal: Principal) async throws(BelfryError) {
        try await store.setAllPaused(isPaused, by: principal)
        try await registry.reload([])
    }

    /// Reads documents and secrets anew: SIGHUP.
    public func reload() async throws(BelfryError) { try await registry.reload() }

    private func apply(_ plan: DocumentPlan, by principal: Principal) async throws(BelfryError) -> AppliedPlan {
        let applied = try await store.apply(plan, by: principal)
        try await registry.reload(applied.changes.map(\.id))
        scheduler.wakeUp()
        return applied
    }

    /// The rules in a text that is not stored, at least one; they may stand beside their sources and agents. Agents and targets
    /// that are nowhere yet are no error.
    func drafts(_ text: String, path: String) throws(BelfryError) -> [RuleDefinition] {
        let documents = try load([(path: path, text: text)], knownAgents: nil, server: ServerSettings())
        let rules = documents.compactMap { document in
            if case .rule(let rule) = document.content { rule } else { nil }
        }
        guard !rules.isEmpty else { throw BelfryError(.invalidDocument, "\(path) holds no rule") }
        return rules
    }

    private func load(
        _ files: [(path: String, text: String)], knownAgents: Set<String>?, server: ServerSettings
    ) throws(BelfryError) -> [Document] {
        do {
            return try DocumentLoader.load(
                files, knownAgents: knownAgents, knownSources: registry.snapshot.sources.mapValues(\.definition.preset),
                server: server)
        } catch {
            let list = error.diagnostics.map { diagnostic -> JSONValue in
                [
                    "file": .string(diagnostic.file), "line": .int(diagnostic.line), "path": .string(diagnostic.path),
                    "message": .string(diagnostic.message),
                ]
            }
            let first = error.diagnostics.first.map { "\($0)" } ?? "nothing to apply"
            let rest = list.count > 1 ? " (and \(list.count - 1) more)" : ""
            throw BelfryError(.invalidDocument, first + rest, details: ["diagnostics": .array(list)])
        }
    }
}

extension HubConfiguration {
    /// What it lets documents do.
    fileprivate var server: ServerSettings {
        ServerSettings(targets: Set(targets.keys), allowsOtherwiseApprove: allowsOtherwiseApprove)
    }
}

extension [Document] {
    fileprivate func names(of kind: DocumentKind) -> [String] { filter { $0.kind == kind }.map(\.name) }
}

extension Registry.Snapshot {
    fileprivate func owner(ofAgent name: String) -> DocumentOwner? { records[DocumentName(.agent, name)]?.owner }
}

extension DocumentDraft {
    fileprivate init(_ document: Document, restored: Int64? = nil) {
        self.init(
            kind: document.kind, name: document.name, text: document.text, canonical: document.canonical,
            restored: restored)
    }
}
