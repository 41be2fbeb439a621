public import BelfryCore
import Foundation
import GRDB
import Synchronization

extension Store {
    /// Takes queued runs for work: row, RUN_STARTED frame and audit in one transaction.
    ///
    /// Nothing while everything is paused, and nothing of a rule that is disabled: those wait.
    ///
    /// Fair: one run of each rule that has a place, round after round, the next claim going on where this one ended;
    /// within a rule the oldest first.
    /// - Parameters:
    ///   - max: Runs at most.
    ///   - concurrency: How many runs of a rule may be at work (running, waiting, stopping); nil:
    ///     ``Limits/ruleConcurrencyDefault``.
    public func claimRuns(
        max: Int, concurrency: @escaping @Sendable (_ rule: String) -> Int?
    ) async throws(BelfryError) -> [ClaimedRun] {
        guard max > 0 else { return [] }
        let runs = try await writer.perform { [self] transaction in
            let start = lastClaimedRule.withLock { $0 }
            let claim = try transaction.claimRuns(max: max, concurrency: concurrency, after: start)
            lastClaimedRule.withLock { $0 = claim.lastRule }
            return claim.runs
        }
        guard !runs.isEmpty else { return [] }
        do throws(BelfryError) {
            return try await read { db in
                try runs.map { run in ClaimedRun(run: run, event: try EventRecord.find(run.event, in: db)?.event) }
            }
        } catch {
            // They are claimed, so somebody must own them: whoever does reads the event again.
            return runs.map { ClaimedRun(run: $0, event: nil) }
        }
    }

    /// One transition of a run: run row, step rows, frames and audit entries become true together.
    /// - Parameter ending: committed in its place if the rule's tokens of the day are used up, what the change itself
    ///   adds included: the end of a run that would begin another step.
    /// - Returns: The run as it is then.
    /// - Throws: `not_found`; `conflict` if the run is in none of the `from` states, with `state` and `reason` as found
    ///   in the details, or if a step would end without the `event` that has come for it. Nothing is changed then.
    @discardableResult
    public func commit(
        _ change: RunChange, orIfSpent ending: RunChange? = nil
    ) async throws(BelfryError) -> RunRecord {
        let bytes =
            change.frames.reduce(0) { $0 + $1.data.bytes.count }
            + change.steps.reduce(0) { $0 + ($1.output?.utf8.count ?? 0) }
        return try await writer.perform(bytes: bytes) { [self] transaction in
            if let generation = change.generation { note(generation) }
            return try transaction.commit(change, orIfSpent: ending)
        }
    }

    /// Runs that were at work when the process ended: running, stopping; oldest first. Queued ones are claimed as ever,
    /// and those that wait are rows until something wakes them.
    public func unfinishedRuns() async throws(BelfryError) -> [RunRecord] {
        try await read { db in
            let sql = """
                SELECT \(RunRecord.columns) FROM runs INDEXED BY runs_unfinished
                WHERE state IN ('running', 'stopping') AND ended IS NULL ORDER BY sequence
                """
            return try Row.fetchAll(db.cachedStatement(sql: sql)).map { try RunRecord($0) }
        }
    }

    /// Runs that wait and were told to stop, or whose timer has fired, and runs with a step whose event has come or is to be
    /// looked for: a crash came before they heard of it. Those that have a timer are woken by that.
    public func overdueRuns() async throws(BelfryError) -> [RunRecord] {
        try await read { db in
            let sql = """
                SELECT \(RunRecord.columns) FROM runs INDEXED BY runs_unfinished
                WHERE state IN ('waiting', 'running') AND ended IS NULL AND (stop_reason IS NOT NULL
                    OR id IN (SELECT run FROM event_waits INDEXED BY event_waits_look_back WHERE look_back IS NOT NULL)
                    OR id IN (SELECT w.run FROM awaited a INDEXED BY awaited_come
                        CROSS JOIN event_waits w INDEXED BY event_waits_awaited ON w.awaited = a.id
                        WHERE a.event IS NOT NULL)
                    OR state = 'waiting' AND NOT EXISTS (SELECT 1 FROM timers INDEXED BY timers_by_subject
                        WHERE kind = ? AND subject = runs.id))
                ORDER BY sequence
                """
            return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [TimerKind.run.rawValue]).map {
                try RunRecord($0)
            }
        }
    }

    /// Runs, newest first.
    public func runs(
        _ filter: RunFilter = RunFilter(), cursor: String? = nil, max: Int = Limits.pageRowsDefault
    ) async throws(BelfryError) -> Page<RunRecord> {
        // Within a rule, its runs' numbers and the sequence have one order, and the numbers have the index.
        var query = ListQuery(
            "SELECT \(RunRecord.columns) FROM runs", order: filter.rule == nil ? "sequence" : "number",
            start: filter.rule == nil ? "?" : "(SELECT number FROM runs WHERE sequence = ?)"
        )
        try query.start(after: cursor)
        if let rule = filter.rule { query.require("rule = ?", rule) }
        if let event = filter.event { query.require("event = ?", event.bytes.blob) }
        if !filter.states.isEmpty {
            query.require(anyOf: "state", filter.states.map(\.rawValue).sorted())
            // The indexes over states are partial ones.
            if filter.states.allSatisfy({ $0.isEnded }) { query.require("ended IS NOT NULL") }
            if filter.states.allSatisfy({ !$0.isEnded }) { query.require("ended IS NULL") }
        }
        return try await page(query, max: max, sequence: { $0.sequence }) { row, _ in try RunRecord(row) }
    }

    /// - Throws: `not_found`.
    public func run(_ id: RunID) async throws(BelfryError) -> RunRecord {
        let run = try await read { db in
            let sql = "SELECT \(RunRecord.columns) FROM runs WHERE id = ?"
            return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [id.bytes.blob]).map { try RunRecord($0) }
        }
        guard let run else { throw BelfryError(.notFound, "there is no run \(id)") }
        return run
    }

    /// The steps of a run that were stored, in the order of the rule.
    public func steps(of run: RunID) async throws(BelfryError) -> [StepRecord] {
        try await read { db in
            let sql = """
                SELECT * FROM steps WHERE run = (SELECT sequence FROM runs WHERE id = ?) ORDER BY step
                """
            return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [run.bytes.blob]).map {
                try StepRecord($0, run: run)
            }
        }
    }

    /// What a rule has done; nil if it never had a run.
    public func ruleActivity(of rule: String) async throws(BelfryError) -> RuleActivity? {
        try await read { db in
            let sql =
                "SELECT rule, number, created FROM runs INDEXED BY runs_by_rule WHERE rule = ? "
                + "ORDER BY number DESC LIMIT 1"
            return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [rule]).map { RuleActivity($0) }
        }
    }

    /// What each rule that ever had a run has done.
    public func ruleActivity() async throws(BelfryError) -> [RuleActivity] {
        try await read { db in
            var activity: [RuleActivity] = []
            let sql =
                "SELECT rule, number, created FROM runs INDEXED BY runs_by_rule WHERE rule = "
                + "(SELECT min(rule) FROM runs INDEXED BY runs_by_rule WHERE rule > ?) ORDER BY number DESC LIMIT 1"
            let statement = try db.cachedStatement(sql: sql)
            while let row = try Row.fetchOne(statement, arguments: [activity.last?.rule ?? ""]) {
                activity.append(RuleActivity(row))
            }
            return activity
        }
    }
}

extension RuleActivity {
    fileprivate init(_ row: Row) {
        self.init(rule: row.text("rule"), runs: row.int("number"), lastRun: row.timestamp("created"))
    }
}
