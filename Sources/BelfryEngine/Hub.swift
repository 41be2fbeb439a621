import BelfryAgents
public import BelfryCore
import BelfryHTTP
public import BelfryStore
public import Logging
import Synchronization

/// The hub without its edge: accept → match → store → schedule → run → log. It knows nothing of HTTP.
///
/// Everything the edge offers is a method here, in an extension by topic: deliveries, documents, runs, streams, audit.
public final class Hub: Sendable {
    let store: Store
    let registry: Registry
    let mailboxes = RunMailboxes()
    let configuration: HubConfiguration
    let services: RunServices
    let trials = AgentTrials()
    let logger: Logger
    /// Run it in the service group, after the server: it stops before the streams do.
    public let scheduler: Scheduler
    /// Run it beside the ``scheduler``.
    public let timers: Timers
    /// Run it in the service group.
    public let compiler: RuleCompiler
    /// Run it beside the ``scheduler``: without it backtests wait.
    public let backtests: Backtests
    /// Run it beside the ``scheduler``: without it Slack is told nothing.
    public let slackAnswers: SlackAnswers
    private let commits: CommitSinks
    private let http: HTTPClient
    let sends: Sends
    private let state: Mutex<Readiness>
    private let folder = Mutex<RulesFolder?>(nil)

    public enum Readiness: Sendable, Hashable {
        case ready
        case notReady(reason: String)
    }

    /// Opens the data folder, and the documents in it. Runs that were interrupted go on when ``scheduler`` runs.
    ///
    /// Throws where the folder is in use, not writable, or not a database of Belfry's.
    public static func open(_ configuration: HubConfiguration, logger: Logger) async throws(BelfryError) -> Hub {
        let commits = CommitSinks()
        let store = try Store.open(
            StoreConfiguration(folder: configuration.folder, clock: configuration.clock),
            logger: logger,
            onCommit: { commits.hand(out: $0) }
        )
        let hub = Hub(store: store, configuration: configuration, commits: commits, logger: logger)
        do throws(BelfryError) {
            try await hub.registry.reload()
            try await hub.registry.holdStoredWaits()
        } catch {
            await hub.close()
            throw error
        }
        hub.state.withLock { $0 = .ready }
        return hub
    }

    private init(store: Store, configuration: HubConfiguration, commits: CommitSinks, logger: Logger) {
        self.store = store
        self.configuration = configuration
        self.commits = commits
        self.logger = logger
        state = Mutex(.notReady(reason: "starting"))
        backtests = Backtests(store: store, clock: configuration.clock)
        registry = Registry(
            store: store, secrets: configuration.secrets, targets: Set(configuration.targets.keys), logger: logger)
        compiler = RuleCompiler(registry: registry)
        http = HTTPClient(
            policy: configuration.agentsMayReachPrivateAddresses ? .agents : .publicOnly,
            logger: logger
        )
        sends = Sends(configuration, store: store, logger: logger)
        slackAnswers = SlackAnswers(configuration, logger: logger)
        services = RunServices(
            store: store, registry: registry, mailboxes: mailboxes, http: http,
            commands: CommandRunner(hub: configuration.hubID), sends: sends, configuration: configuration,
            logger: logger
        )
        let scheduler = Scheduler(services: services)
        self.scheduler = scheduler
        mailboxes.whenToLoad { scheduler.wakeUp() }
        let timers = Timers(
            store: store, rule: { [registry] in registry.matchRequest(rule: $0) }, clock: configuration.clock,
            logger: logger)
        self.timers = timers
        commits.add { [mailboxes] batch in
            for stop in batch.stops { mailboxes.post(.stop(stop.reason), to: stop.run) }
            for run in batch.wakes { mailboxes.post(.due, to: run) }
            if batch.hasQueuedRuns { scheduler.wakeUp() }
            if let due = batch.earliestTimer { timers.note(due) }
        }
    }

    /// Closes the store when nothing uses it any more: after the service group has ended.
    public func close() async {
        http.close()
        sends.close()
        slackAnswers.close()
        await store.close()
    }

    public var readiness: Readiness { state.withLock { $0 } }

    /// From now on `/readyz` says no; what is under way goes on.
    public func beginDraining() { state.withLock { $0 = .notReady(reason: "shutting down") } }

    /// How the last apply of the rules folder went; nil if there is no such folder.
    public var rulesFolder: RulesFolder? { folder.withLock { $0 } }

    /// Keeps how an apply of the rules folder went; one that failed is also a notice.
    public func note(_ rulesFolder: RulesFolder) async {
        folder.withLock { $0 = rulesFolder }
        guard let error = rulesFolder.error else { return }
        await tell(
            Notice(
                .ruleBroken, .error, title: "The rules folder can't be applied",
                text: "the set from before stays: \(error)"))
    }

    /// Appends a notice to the log. One that can't be stored is in the log of the process alone.
    public func tell(_ notice: Notice) async {
        do throws(BelfryError) {
            try await store.append([notice.frame(at: configuration.clock.now())])
        } catch {
            logger.error("a notice could not be stored", metadata: ["error": "\(error)"])
        }
    }

    /// Calls `sink` for every commit from now on: on the writer's thread, in order, before the committing caller is
    /// told. It must not block.
    public func subscribeCommits(_ sink: @escaping @Sendable (CommittedBatch) -> Void) { commits.add(sink) }
}

/// The folder of documents that is applied at each start and on SIGHUP.
public struct RulesFolder: Sendable, Hashable {
    public var path: String
    /// Why its last state could not be applied; the hub runs the set from before.
    public var error: String?

    public init(path: String, error: String?) {
        self.path = path
        self.error = error
    }
}

/// Who hears of commits.
final class CommitSinks: Sendable {
    private let sinks = Mutex<[@Sendable (CommittedBatch) -> Void]>([])

    func add(_ sink: @escaping @Sendable (CommittedBatch) -> Void) { sinks.withLock { $0.append(sink) } }

    func hand(out batch: CommittedBatch) {
        for sink in sinks.withLock({ $0 }) { sink(batch) }
    }
}
