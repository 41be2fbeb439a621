import BelfryCore
import BelfryRules
import BelfryStore
public import ServiceLifecycle
import Synchronization

/// The backtests of a hub: a few at a time, their results kept for a while. Run it in the service group.
public final class Backtests: Service {
    fileprivate enum State {
        case running
        /// Asked to end; its last page is being read.
        case cancelling
        case done(JSONObject)
        case failed(BelfryError)
        case cancelled
    }

    fileprivate struct Job {
        var test: Backtest
        var created: Timestamp
        var progress = Backtest.Progress()
        var state = State.running
        var ended: Timestamp?
    }

    fileprivate struct Jobs {
        var all: [BacktestID: Job] = [:]
        var isClosed = false
    }

    private let store: Store
    private let clock: WallClock
    private let jobs = Mutex(Jobs())
    private let begun: AsyncStream<BacktestID>
    private let begin: AsyncStream<BacktestID>.Continuation

    init(store: Store, clock: WallClock) {
        self.store = store
        self.clock = clock
        // Bounded by ``Limits/backtestsRunningMax``.
        (begun, begin) = AsyncStream.makeStream()
    }

    /// Works until it is shut down; what is under way is cancelled then.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await id in self.begun {
                    group.addTask(priority: .background) { await self.perform(id) }
                }
            }
        }
        jobs.withLock { $0.isClosed = true }
    }

    // MARK: Asking

    /// - Throws: `too_many_requests` while as many run as may, `shutting_down`.
    func start(_ rule: RuleDefinition, _ request: BacktestRequest) throws(BelfryError) -> BacktestID {
        let now = clock.now()
        let id = BacktestID(at: now)
        let test = Backtest(rule: rule, request: request, store: store)
        let error = jobs.withLock { jobs -> BelfryError? in
            guard !jobs.isClosed else { return BelfryError(.shuttingDown, "the hub is shutting down") }
            jobs.forget(at: now)
            guard jobs.all.values.count(where: \.isUnderWay) < Limits.backtestsRunningMax else {
                return BelfryError(
                    .tooManyRequests,
                    "\(Limits.backtestsRunningMax) backtests are running; wait for one, or cancel it",
                    retryAfter: .seconds(5))
            }
            jobs.all[id] = Job(test: test, created: now)
            return nil
        }
        if let error { throw error }
        begin.yield(id)
        return id
    }

    /// `{id, state, rule, from, to, source?, run_takes_ms, created, ended?, progress: {scanned, total}, result?,
    /// error?}`; `state`: running, done, failed, cancelled.
    func status(_ id: BacktestID) throws(BelfryError) -> JSONObject {
        let now = clock.now()
        let job = jobs.withLock { jobs in
            jobs.forget(at: now)
            return jobs.all[id]
        }
        guard let job else {
            throw BelfryError(.notFound, "there is no backtest \(id); results are kept for 10 minutes")
        }
        return job.json(id)
    }

    /// Ends one that runs, and forgets one that has ended.
    func cancel(_ id: BacktestID) throws(BelfryError) {
        let isKnown = jobs.withLock { jobs -> Bool in
            guard let job = jobs.all[id] else { return false }
            if job.isUnderWay { jobs.all[id]?.state = .cancelling } else { jobs.all[id] = nil }
            return true
        }
        guard isKnown else {
            throw BelfryError(.notFound, "there is no backtest \(id); results are kept for 10 minutes")
        }
    }

    // MARK: Working

    private func perform(_ id: BacktestID) async {
        guard let test = jobs.withLock({ $0.all[id]?.test }) else { return }
        let state: State
        do throws(BelfryError) {
            let result = try await test.run { progress in
                self.jobs.withLock { jobs in
                    jobs.all[id]?.progress = progress
                    if case .running? = jobs.all[id]?.state { return true }
                    return false
                }
            }
            state = result.map(State.done) ?? .cancelled
        } catch {
            state = .failed(error)
        }
        let now = clock.now()
        jobs.withLock { jobs in
            jobs.all[id]?.state = state
            jobs.all[id]?.ended = now
        }
    }
}

extension Backtests.Jobs {
    /// Drops results that are old, and the oldest where there are too many.
    fileprivate mutating func forget(at now: Timestamp) {
        all = all.filter { $0.value.ended.map { now - $0 < Limits.backtestRetention } ?? true }
        let ended = all.compactMap { entry in entry.value.ended.map { (entry.key, $0) } }.sorted { $0.1 < $1.1 }
        for (id, _) in ended.dropLast(Limits.backtestsKeptMax) { all[id] = nil }
    }
}

extension Backtests.Job {
    fileprivate var isUnderWay: Bool { ended == nil }

    fileprivate func json(_ id: BacktestID) -> JSONObject {
        var json: JSONObject = ["id": .string(id.description)]
        switch state {
        case .running, .cancelling: json["state"] = "running"
        case .done: json["state"] = "done"
        case .failed: json["state"] = "failed"
        case .cancelled: json["state"] = "cancelled"
        }
        let request = test.request
        json["rule"] = .string(test.rule.name)
        json["from"] = .string(request.from.description)
        json["to"] = .string(request.to.description)
        if let source = request.source { json["source"] = .string(source) }
        json["run_takes_ms"] = .int(request.runTakes.milliseconds)
        json["created"] = .string(created.description)
        if let ended { json["ended"] = .string(ended.description) }
        json["progress"] = ["scanned": .int(progress.scanned), "total": .int(progress.total)]
        if case .done(let result) = state { json["result"] = .object(result) }
        if case .failed(let error) = state {
            json["error"] = StoredError(error).json
        }
        return json
    }
}
