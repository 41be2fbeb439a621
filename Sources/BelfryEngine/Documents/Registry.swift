import BelfryCore
import BelfryRules
import BelfrySources
import BelfryStore
import Logging
import Synchronization

/// The documents that hold now, parsed and ready: an immutable snapshot that readers share and a reload swaps.
///
/// A source or agent whose secret can't be read is disabled by itself; the rest of the set works.
final class Registry: Sendable {
    struct Snapshot: Sendable {
        var sources: [String: ServedSource] = [:]
        var agents: [String: AgentDefinition] = [:]
        /// All rules, also those that are switched off; ``ruleSet`` holds those that may match.
        var rules = LayeredDictionary<String, RuleDefinition>()
        var ruleSet = RuleSet.empty
        var records = LayeredDictionary<DocumentName, DocumentRecord>()
        /// Why a stored document can't be used, of those that can't even be read.
        var problems: [DocumentName: String] = [:]
        var isAllPaused = false
        /// Counts snapshots that may match what earlier ones do not.
        var generation = 0

        /// Forgets all that is said of a document, but for what ``ruleSet`` holds.
        mutating func remove(_ id: DocumentName) {
            records[id] = nil
            problems[id] = nil
            switch id.kind {
            case .source: sources[id.name] = nil
            case .agent: agents[id.name] = nil
            case .rule: rules[id.name] = nil
            }
        }
    }

    /// A source with its secrets read.
    struct ServedSource: Sendable {
        var definition: SourceDefinition
        var secrets: Result<[NamedSecret], BelfryError>

        /// Those that verify at a moment: an ended one is out at that moment, not at the next reload.
        func secrets(at time: Timestamp) throws(BelfryError) -> [NamedSecret] {
            try secrets.get().filter { $0.isActive(at: time) }
        }
    }

    typealias ParsedDocument = (version: Int64, document: Document)

    struct State {
        var snapshot = Snapshot()
        /// Reloads whose reading was shown.
        var reloads = 0
        /// Parsed documents by name, reused while their version holds.
        var parsed = LayeredDictionary<DocumentName, ParsedDocument>()
        /// What is broken and was told.
        var told: Set<Notice> = []
        /// Versions whose waits ``Snapshot/ruleSet`` holds: at a step of theirs a run waits, or did lately.
        var waits: [RuleVersion: HeldWaits] = [:]
    }

    let store: Store
    private let secrets: SecretResolver
    /// Names of the server's `targets:` table.
    private let targets: Set<String>
    let logger: Logger
    let state = Mutex(State())
    private let fragmented = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(store: Store, secrets: SecretResolver, targets: Set<String>, logger: Logger) {
        self.store = store
        self.secrets = secrets
        self.targets = targets
        self.logger = logger
    }

    var snapshot: Snapshot { state.withLock { $0.snapshot } }

    /// How many runs of a rule may be unfinished at a time; nil if there is no such rule.
    func concurrency(of rule: String) -> Int? { snapshot.ruleSet.rule(named: rule)?.definition.limits.concurrency }

    /// A rule's limits as they are today; nil if the rule is gone.
    func limits(ofRule name: String) -> RuleLimits? { snapshot.rules[name]?.limits }

    /// Reads documents and secrets anew and swaps the snapshot. Generated secrets are made where a source asks for one
    /// and has none.
    /// - Parameter names: those that have changed; nil for all. What it costs follows these.
    func reload(_ names: [DocumentName]? = nil) async throws(BelfryError) {
        // Many are sooner read all at once.
        var names = names.flatMap { $0.count > Limits.changedRulesMax ? nil : $0 }
        while true {
            let seen = state.withLock {
                (reloads: $0.reloads, snapshot: $0.snapshot, parsed: $0.parsed, waits: $0.waits)
            }
            let set = if let names { try await store.documents(names) } else { try await store.documents() }
            var next = names == nil ? Snapshot() : seen.snapshot
            var parsed = names == nil ? LayeredDictionary() : seen.parsed
            next.isAllPaused = set.isAllPaused
            next.generation = seen.snapshot.generation + 1
            var rules: [Rule] = []
            for record in set.documents {
                let known = seen.parsed[record.id].flatMap { $0.version == record.version ? $0 : nil }
                next.remove(record.id)
                next.records[record.id] = record
                do throws(BelfryError) {
                    let document =
                        if let known { known.document } else {
                            try Self.parse(record.kind, record.canonical, text: record.text)
                        }
                    parsed[record.id] = (record.version, document)
                    if let rule = await add(document, record, to: &next) { rules.append(rule) }
                } catch {
                    parsed[record.id] = nil
                    next.problems[record.id] = error.message
                }
            }
            if let names {
                let there = Set(set.documents.map(\.id))
                for name in names where !there.contains(name) {
                    next.remove(name)
                    parsed[name] = nil
                }
            }
            // What resolves a rule depends on the presets of its sources.
            let hasSamePresets = next.presets == seen.snapshot.presets
            if let touched = names {
                guard hasSamePresets else {
                    names = nil
                    continue
                }
                let rulesTouched = touched.filter { $0.kind == .rule }.map(\.name)
                next.letAlertsResolve(rulesTouched, &rules)
                // A rule that is switched off is not in the set.
                let held = seen.waits.rules(of: Set(rulesTouched), beside: rules)
                next.ruleSet = next.ruleSet.applying(
                    version: set.ruleSetVersion, changed: rules + held.changed, removed: rulesTouched + held.removed)
            } else {
                next.letAlertsResolve(next.rules.keys, &rules)
                rules += seen.waits.rules(of: nil, beside: rules).changed
                next.ruleSet =
                    hasSamePresets
                    ? seen.snapshot.ruleSet.updated(version: set.ruleSetVersion, to: rules)
                    : RuleSet(version: set.ruleSetVersion, rules: rules)
            }
            if let news = show(next, parsed, after: seen.reloads, names) {
                // Who has everything read anew wants to know what is still broken.
                for notice in names == nil ? broken : news {
                    logger.error("\(notice.title)", metadata: ["error": "\(notice.text)"])
                }
                await tell(news)
                return await releaseWaits()
            }
            // Another reload was shown meanwhile: what was read may be older than what it read.
        }
    }

    /// Puts a document into a snapshot. - Returns: A rule that may match.
    private func add(_ document: Document, _ record: DocumentRecord, to snapshot: inout Snapshot) async -> Rule? {
        switch document.content {
        case .source(let definition):
            snapshot.sources[record.name] = ServedSource(definition: definition, secrets: await resolve(definition))
        case .agent(let definition):
            snapshot.agents[record.name] = definition
        case .rule(let definition):
            snapshot.rules[record.name] = definition
            if definition.isEnabled, record.isEnabled { return Rule(definition: definition, version: record.version) }
        }
        return nil
    }

    /// Swaps the snapshot. - Returns: What is newly broken; nil if another reload was shown since `reloads`.
    private func show(
        _ next: Snapshot, _ parsed: LayeredDictionary<DocumentName, ParsedDocument>, after reloads: Int,
        _ names: [DocumentName]?
    ) -> [Notice]? {
        // An agent that goes breaks rules; a rule breaks itself alone.
        let rules = names.flatMap { names in names.allSatisfy { $0.kind == .rule } ? Set(names.map(\.name)) : nil }
        let broken = next.brokenParts(secrets, targets: targets, ofRules: rules)
        let news = state.withLock { state -> [Notice]? in
            guard state.reloads == reloads else { return nil }
            state.reloads += 1
            state.snapshot = next
            state.parsed = parsed
            defer {
                let others: Set<Notice> =
                    rules.map { rules in state.told.filter { !rules.contains($0.rule ?? "") } } ?? []
                state.told = others.union(broken)
            }
            return broken.filter { !state.told.contains($0) }
        }
        if news != nil, next.ruleSet.isFragmented { fragmented.continuation.yield() }
        return news
    }

    /// Compiles the rules whole, once for each time that too many have changed since. Matching and changes go on meanwhile.
    func compileWhenFragmented() async {
        for await _ in fragmented.stream {
            let seen = state.withLock { (reloads: $0.reloads, ruleSet: $0.snapshot.ruleSet) }
            guard seen.ruleSet.isFragmented else { continue }
            let whole = RuleSet(version: seen.ruleSet.version, rules: seen.ruleSet.rules)
            let isShown = state.withLock { state in
                guard state.reloads == seen.reloads else { return false }
                state.snapshot.ruleSet = whole
                return true
            }
            // A rule has changed meanwhile: once more, with it.
            if !isShown { fragmented.continuation.yield() }
        }
    }

    /// What can't do its work today, in the order of its titles.
    var broken: [Notice] { state.withLock { $0.told }.sorted { ($0.title, $0.text) < ($1.title, $1.text) } }

    /// What is broken is told once, and again after a restart.
    private func tell(_ notices: [Notice]) async {
        guard !notices.isEmpty else { return }
        let now = WallClock.system.now()
        do throws(BelfryError) {
            try await store.append(
                notices.prefix(Limits.brokenNoticesMax).map { $0.frame(at: now) })
        } catch {
            logger.error("notices could not be stored", metadata: ["error": "\(error)"])
        }
    }

    /// The rule as a run was matched with it.
    func rule(named name: String, version: Int64) async throws(BelfryError) -> RuleDefinition {
        let id = DocumentName(.rule, name)
        if let known = state.withLock({ $0.parsed[id] }), known.version == version,
            case .rule(let definition) = known.document.content
        {
            return definition
        }
        let stored = try await store.version(version, of: id)
        guard case .rule(let definition) = try Self.parse(.rule, stored.canonical, text: stored.text).content else {
            throw BelfryError(.internal, "\(id) version \(version) is not a rule")
        }
        return definition
    }

    /// The agent as it was at a moment.
    func agent(named name: String, asOf moment: Timestamp) async throws(BelfryError) -> AgentDefinition {
        let snapshot = snapshot
        let id = DocumentName(.agent, name)
        if let record = snapshot.records[id], record.updated <= moment, let agent = snapshot.agents[name] {
            return agent
        }
        let versions = try await store.versions(of: id).filter { $0.change != .removed }
        guard
            // After a clock was set back all may seem later than the run: then the first there was.
            let then = versions.first(where: { $0.created <= moment }) ?? versions.last,
            case .agent(let agent) = try Self.parse(.agent, then.canonical, text: then.text).content
        else {
            throw BelfryError(.notFound, "there is no agent \(name); apply a document `agent: \(name)`")
        }
        return agent
    }

    private static func parse(_ kind: DocumentKind, _ canonical: RawJSON, text: String) throws(BelfryError) -> Document
    {
        do {
            return try DocumentLoader.load(stored: canonical, kind: kind, text: text)
        } catch {
            throw BelfryError(.invalidDocument, "a stored \(kind.rawValue) document can't be read: \(error)")
        }
    }

    /// A source's secrets; generated ones are made if there are none yet.
    private func resolve(_ source: SourceDefinition) async -> Result<[NamedSecret], BelfryError> {
        var named: [NamedSecret] = []
        do throws(BelfryError) {
            for reference in source.secrets {
                guard reference == .generated else {
                    if let secret = try secrets.resolve(reference) {
                        named.append(NamedSecret(name: reference.description, secret: secret))
                    }
                    continue
                }
                var generated = try await store.generatedSecrets(source: source.name)
                if generated.isEmpty {
                    // Two reloads at once make one secret, and both see it.
                    try await store.addGeneratedSecret(
                        source.preset.makeSecret(), source: source.name, onlyFirst: true, by: .hub)
                    generated = try await store.generatedSecrets(source: source.name)
                }
                named += generated
            }
            if named.isEmpty, source.preset != .none {
                throw BelfryError(.secretUnavailable, "none of the secrets of source \(source.name) is there")
            }
            return .success(named)
        } catch {
            return .failure(error)
        }
    }
}
