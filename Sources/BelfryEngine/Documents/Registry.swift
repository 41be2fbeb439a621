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
        var rules: [String: RuleDefinition] = [:]
        var ruleSet = RuleSet.empty
        var records: [DocumentName: DocumentRecord] = [:]
        /// Why a stored document can't be used, of those that can't even be read.
        var problems: [DocumentName: String] = [:]
        var isAllPaused = false
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

    private struct State {
        var snapshot = Snapshot()
        /// Reloads that have begun, and the one whose reading the snapshot is.
        var reloads = 0
        var shownReload = 0
        /// Parsed documents by name, reused while their version holds.
        var parsed: [DocumentName: (version: Int64, document: Document)] = [:]
        /// What is broken and was told.
        var told: Set<Notice> = []
    }

    private let store: Store
    private let secrets: SecretResolver
    private let logger: Logger
    private let state = Mutex(State())

    init(store: Store, secrets: SecretResolver, logger: Logger) {
        self.store = store
        self.secrets = secrets
        self.logger = logger
    }

    var snapshot: Snapshot { state.withLock { $0.snapshot } }

    /// Places for the scheduler: how many runs of each rule may be unfinished at a time.
    var concurrency: [String: Int] {
        Dictionary(
            snapshot.ruleSet.rules.map { ($0.definition.name, $0.definition.limits.concurrency) },
            uniquingKeysWith: { $1 }
        )
    }

    /// A rule's limits as they are today; nil if the rule is gone.
    func limits(ofRule name: String) -> RuleLimits? { snapshot.rules[name]?.limits }

    /// Reads the store's documents and secrets anew and swaps the snapshot. Generated secrets are made where a source
    /// asks for one and has none.
    func reload() async throws(BelfryError) {
        let (reload, known) = state.withLock { state in
            state.reloads += 1
            return (state.reloads, state.parsed)
        }
        var parsed = known
        let set = try await store.documents()
        var next = Snapshot(isAllPaused: set.isAllPaused)
        var rules: [Rule] = []
        for record in set.documents {
            next.records[record.id] = record
            if parsed[record.id]?.version != record.version {
                parsed[record.id] = nil
                do throws(BelfryError) {
                    let document = try Self.parse(record.kind, record.canonical, text: record.text)
                    parsed[record.id] = (record.version, document)
                } catch {
                    next.problems[record.id] = error.message
                }
            }
            switch parsed[record.id]?.document.content {
            case .source(let definition):
                next.sources[record.name] = ServedSource(
                    definition: definition,
                    secrets: await resolve(definition)
                )
            case .agent(let definition):
                next.agents[record.name] = definition
            case .rule(let definition):
                next.rules[record.name] = definition
                if definition.isEnabled, record.isEnabled {
                    rules.append(Rule(definition: definition, version: record.version))
                }
            case nil:
                break
            }
        }
        next.letAlertsResolve(&rules)
        next.ruleSet = RuleSet(version: set.ruleSetVersion, rules: rules)
        let names = next.records
        parsed = parsed.filter { names[$0.key] != nil }
        let broken = next.brokenParts(secrets)
        let news = state.withLock { state -> [Notice] in
            // Reloads may overtake each other; what was read later stays.
            guard reload > state.shownReload else { return [] }
            state.shownReload = reload
            state.snapshot = next
            state.parsed = parsed
            defer { state.told = Set(broken) }
            return broken.filter { !state.told.contains($0) }
        }
        await tell(news)
    }

    /// What is broken is told once, and again after a restart.
    private func tell(_ notices: [Notice]) async {
        guard !notices.isEmpty else { return }
        for notice in notices {
            logger.error("\(notice.title)", metadata: ["error": "\(notice.text)"])
        }
        let now = WallClock.system.now()
        do throws(BelfryError) {
            try await store.append(
                notices.prefix(Limits.brokenNoticesMax).map { $0.frame(at: now) }, onlyDeltas: false)
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
