import BelfryCore
import BelfryCrypto
import Foundation
import GRDB

/// The switches that hold for a whole delivery.
struct PauseState {
    var isAllPaused: Bool
    var isSourcePaused: Bool

    var isPaused: Bool { isAllPaused || isSourcePaused }
}

extension WriteTransaction {
    func pauseState(source: String) throws -> PauseState {
        let state = try first(
            """
            SELECT (SELECT value FROM meta WHERE name = 'all_paused'),
                (SELECT paused FROM source_state WHERE source = ?)
            """,
            [source]
        ) { PauseState(isAllPaused: $0.int(0) != 0, isSourcePaused: $0.int(1) != 0) }
        return state ?? PauseState(isAllPaused: false, isSourcePaused: false)
    }

    func admissionFacts(
        _ match: MatchRequest, of event: Event, pause: PauseState, received: Timestamp
    ) throws -> Admission.Facts {
        var facts = Admission.Facts(isAllPaused: pause.isAllPaused, isSourcePaused: pause.isSourcePaused)
        facts.hops = event.hops
        if let row = try row("SELECT * FROM rule_state WHERE rule = ?", [match.rule]) {
            let state = RuleState(row)
            facts.isRuleEnabled = state.isEnabled
            facts.isRuleRemoved = row.flag("removed")
            facts.mute = state.mute(at: now)
            facts.isObserving = state.isObserving
            facts.broken = state.broken
        }
        facts.unfinishedRuns = try unfinishedRuns(
            rule: match.rule, max: min(match.limits.concurrency, Limits.runsRunningMax)
        )
        // More runs than the hub can have at work: the next one waits, whatever its rule allows.
        if facts.unfinishedRuns >= Limits.runsRunningMax { facts.unfinishedRuns = max(match.limits.concurrency, 0) }
        if match.limits.tokensPerDay != nil || match.limits.costPerDay != nil {
            facts.tokens = try tokensToday(rule: match.rule)
        }
        facts.isHourFull = try isHourFull(match, received: received)
        return facts
    }

    /// Those that have a place or want one: a run that waits has none. Counts no further than `max`: a long queue must not slow down what joins it.
    func unfinishedRuns(rule: String, max: Int) throws -> Int {
        let count = try first(
            """
            SELECT count(*) FROM (
                SELECT 1 FROM runs INDEXED BY runs_unfinished
                WHERE state IN ('queued', 'running', 'stopping') AND rule = ? AND ended IS NULL LIMIT ?)
            """,
            [rule, Swift.max(max, 0)]
        ) { $0.int(0) }
        return Int(count ?? 0)
    }

    /// Runs of a rule are numbered: the hour is full if the n-th last one is less than an hour old. One that is more than
    /// an hour ahead was dated by a clock that has been set back since.
    private func isHourFull(_ match: MatchRequest, received: Timestamp) throws -> Bool {
        let next = try nextRunNumber(rule: match.rule)
        guard next > match.limits.runsPerHour else { return false }
        let earlier = try first(
            "SELECT received FROM runs INDEXED BY runs_by_rule WHERE rule = ? AND number = ?",
            [match.rule, next - Int64(match.limits.runsPerHour)]
        ) { Timestamp(milliseconds: $0.int(0)) }
        guard let earlier else { return false }
        let age = received - earlier
        return age > .seconds(-3600) && age < .seconds(3600)
    }

    func nextRunNumber(rule: String) throws -> Int64 {
        try (first("SELECT max(number) FROM runs WHERE rule = ?", [rule]) { $0.int(0) } ?? 0) + 1
    }

    /// The last run that an event made by a rule.
    struct EarlierRun {
        var run: RunID
        var retry: Int64
        var isEnded: Bool
    }

    func lastRun(of rule: String, event: EventID) throws -> EarlierRun? {
        let row = try row(
            "SELECT id, retry, ended FROM runs WHERE event = ? AND rule = ? ORDER BY retry DESC LIMIT 1",
            [event.bytes.blob, rule]
        )
        return try row.map {
            EarlierRun(
                run: try $0.identifier("id"), retry: $0.int("retry"), isEnded: $0.optionalTimestamp("ended") != nil
            )
        }
    }

    /// Makes the run of a match: row, RUN_STATE frame, and the timer that ends its wait.
    /// - Parameters:
    ///   - received: what `limits.runs_per_hour` counts by.
    ///   - earlier: the run that this one repeats.
    ///   - place: nil: it stands for itself.
    func insertRun(
        event: Event, match: MatchRequest, traceparent: String?, received: Timestamp, after earlier: EarlierRun? = nil,
        place: RunPlace? = nil
    ) throws -> RunID {
        let retry = earlier.map { $0.retry + 1 } ?? 0
        let id = RunID(derivedFrom: event.id, rule: match.rule, retry: Int(retry))
        try execute(
            """
            INSERT INTO runs (id, event, rule, rule_version, number, retry, retry_of, state, received, created,
                traceparent, group_key, match_group, held, log_start)
            VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                id.bytes.blob, event.id.bytes.blob, match.rule, match.ruleVersion, nextRunNumber(rule: match.rule),
                retry, earlier?.run.bytes.blob, received.milliseconds, now.milliseconds, traceparent?.blob,
                place?.key.blob, place?.group?.bytes.blob, place?.isHeld ?? false, position,
            ]
        )
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run", id.description)
        writer.member("event", event.id.description)
        writer.member("rule", match.rule)
        writer.member("rule_version", match.ruleVersion)
        writer.member("state", RunState.queued.rawValue)
        if let group = place?.group {
            writer.member("group", ["id": .string(group.description), "count": .int(place?.count ?? 1)])
        }
        writer.endObject()
        try append(
            DraftFrame(
                time: now, topic: .runs, run: id, rule: match.rule, type: .runState,
                data: RawJSON(trusted: writer.bytes)
            )
        )
        try beginWait(of: id, match.limits)
        hasQueuedRuns = true
        return id
    }
}

extension RunID {
    /// The run of a match has one id, however often it is derived: what makes runs may be repeated.
    init(derivedFrom event: EventID, rule: String, retry: Int) {
        let digest = Digest.sha256(Array("\(event)|\(rule)|\(retry)".utf8))
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(at: event.time, bits: (number(digest[0..<8]), number(digest[8..<16])))
    }
}
