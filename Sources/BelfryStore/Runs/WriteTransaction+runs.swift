import BelfryCore
import Foundation
import GRDB

extension WriteTransaction {
    // MARK: Transitions

    func commit(_ change: RunChange, orIfSpent ending: RunChange? = nil) throws -> RunRecord {
        let run = try run(change.run)
        try count(change.spent, rule: run.rule, limits: change.limits)
        if let ending, try tokensToday(rule: run.rule).isSpent(change.limits) { return try commit(ending, of: run) }
        return try commit(change, of: run)
    }

    private func commit(_ change: RunChange, of found: RunRecord) throws -> RunRecord {
        var run = found
        guard change.from.contains(run.state), !change.yieldsToStop || run.stopReason == nil else {
            throw Self.conflict(run)
        }
        for step in change.yieldsToEvents { try checkNothingCame(for: step, of: run) }
        let before = run.state
        run.state = change.to ?? run.state
        run.reason = change.reason ?? run.reason
        run.error = change.error ?? run.error
        run.attempt = change.attempt ?? run.attempt
        run.params = change.params ?? run.params
        if run.state == .running, run.started == nil { run.started = now }
        if run.state.isEnded, run.ended == nil { run.ended = now }
        try execute(
            """
            UPDATE runs SET
                state = ?, reason = ?, error_code = ?, error_message = ?, started = ?, ended = ?, attempt = ?,
                params = ?
            WHERE sequence = ?
            """,
            [
                run.state.rawValue, run.reason?.rawValue, run.error?.code, run.error?.message.blob,
                run.started?.milliseconds, run.ended?.milliseconds, run.attempt, run.params?.blob,
                run.sequence,
            ]
        )
        for step in change.steps { try store(step, run: run.sequence) }
        for (step, event) in change.found.sorted(by: { $0.key < $1.key }) {
            try resume(run, at: step, byStored: event)
        }
        try endWaits(change)
        for wait in change.waits { try begin(wait, of: run) }
        for approval in change.approvals { try store(approval) }
        for command in change.commands { try record(command) }
        if let due = change.due { try setTimer(.run, subject: run.id.bytes, due: due) }
        for frame in change.frames { try append(frame) }
        for entry in change.audit { try append(entry) }
        if before == .queued, run.state != .queued { try setTimer(.maxWait, subject: run.id.bytes, due: nil) }
        if run.state.isEnded, !before.isEnded {
            try countForBreaker(run, limits: change.limits)
            try noteEnd(of: run)
            try endWaits(of: run.id)
        }
        return run
    }

    private static func conflict(_ run: RunRecord) -> BelfryError {
        var details = JSONObject([
            .init(key: "run", value: .string(run.id.description)),
            .init(key: "state", value: .string(run.state.rawValue)),
        ])
        if let reason = run.reason { details["reason"] = .string(reason.rawValue) }
        if let reason = run.stopReason { details["stop_reason"] = .string(reason.rawValue) }
        return BelfryError(.conflict, "the run is \(run.state.rawValue) already", details: details)
    }

    func store(_ step: StepRecord, run: Int64) throws {
        let missing = step.missing.isEmpty ? nil : RawJSON(.array(step.missing.map(JSONValue.string))).blob
        try execute(
            """
            INSERT INTO steps (run, step, name, kind, state, attempt, started, ended, process_group, input_tokens,
                output_tokens, error_code, error_message, missing, output, reason, due, data, conversation, cost)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (run, step) DO UPDATE SET
                name = excluded.name, kind = excluded.kind, state = excluded.state, attempt = excluded.attempt,
                started = excluded.started, ended = excluded.ended, process_group = excluded.process_group,
                input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
                error_code = excluded.error_code, error_message = excluded.error_message, missing = excluded.missing,
                output = excluded.output, reason = excluded.reason, due = excluded.due, data = excluded.data,
                conversation = excluded.conversation, cost = excluded.cost
            """,
            [
                run, step.index, step.name, step.kind, step.state.rawValue, step.attempt, step.started?.milliseconds,
                step.ended?.milliseconds, step.processGroup.map(Int.init), step.inputTokens, step.outputTokens,
                step.error?.code,
                step.error?.message.blob, missing, step.output?.blob, step.reason?.rawValue,
                step.due?.milliseconds, step.data?.blob, step.conversation?.blob,
                step.cost?.millionths,
            ]
        )
    }

    // MARK: Claims

    /// Takes queued runs, one per rule and round, beginning after `lastRule`.
    /// - Returns: The runs, and the rule the next claim goes on after.
    func claimRuns(
        max: Int, concurrency: (String) -> Int?, after lastRule: String
    ) throws -> (runs: [RunRecord], lastRule: String) {
        guard try meta("all_paused") == 0 else { return ([], lastRule) }
        var places: [(rule: String, runs: [Int64])] = []
        var queued = 0
        for rule in try rulesWithQueuedRuns(after: lastRule) {
            if try isDisabled(rule) { continue }
            let limit = concurrency(rule) ?? Limits.ruleConcurrencyDefault
            let free = try Swift.min(limit - activeRuns(rule: rule, max: limit), max)
            guard free > 0 else { continue }
            let runs = try queuedRuns(rule: rule, max: free)
            if runs.isEmpty { continue }
            places.append((rule, runs))
            queued += 1
            // One of each is all there is room for.
            if queued == max { break }
        }
        var claimed: [RunRecord] = []
        var last = lastRule
        for round in 0..<Swift.max(0, max) {
            let ready = places.filter { round < $0.runs.count }
            if ready.isEmpty { break }
            for place in ready where claimed.count < max {
                if let run = try begin(place.runs[round]) { claimed.append(run) }
                last = place.rule
            }
        }
        return (claimed, last)
    }

    /// Jumps from rule to rule in the index instead of walking through their queues; from the rule after `start` round
    /// to it.
    private func rulesWithQueuedRuns(after start: String) throws -> [String] {
        var rules: [String] = []
        func collect(after: String, through: String?) throws {
            var last = after
            while true {
                let sql = """
                    SELECT min(rule) AS rule FROM runs INDEXED BY runs_unfinished
                    WHERE state = 'queued' AND ended IS NULL AND rule > ?
                    """
                guard let rule = try row(sql, [last])?.optionalText("rule") else { return }
                if let through, rule > through { return }
                rules.append(rule)
                last = rule
            }
        }
        try collect(after: start, through: nil)
        if !start.isEmpty { try collect(after: "", through: start) }
        return rules
    }

    /// What waits of a rule that was switched off, or is broken, waits on; a rule that was removed leaves its runs to end.
    private func isDisabled(_ rule: String) throws -> Bool {
        let sql = """
            SELECT 1 AS one FROM rule_state
            WHERE rule = ? AND (enabled = 0 OR broken_since IS NOT NULL) AND removed = 0
            """
        return try row(sql, [rule]) != nil
    }

    /// A run that waits, for a person perhaps, takes no place from others; what it waited for lets it go on at once.
    private func activeRuns(rule: String, max: Int) throws -> Int {
        let row = try row(
            """
            SELECT count(*) AS count FROM (
                SELECT 1 FROM runs INDEXED BY runs_unfinished
                WHERE state IN ('running', 'stopping') AND rule = ? AND ended IS NULL LIMIT ?)
            """,
            [rule, Swift.max(max, 0)]
        )
        return Int(row?.int("count") ?? 0)
    }

    private func queuedRuns(rule: String, max: Int) throws -> [Int64] {
        try rows(
            """
            SELECT sequence FROM runs INDEXED BY runs_unfinished
            WHERE state = 'queued' AND rule = ? AND held = 0 AND ended IS NULL ORDER BY sequence LIMIT ?
            """,
            [rule, max]
        ).map { $0.int("sequence") }
    }

    /// - Returns: nil if it has waited too long.
    private func begin(_ sequence: Int64) throws -> RunRecord? {
        guard let row = try row("SELECT \(RunRecord.columns) FROM runs WHERE sequence = ?", [sequence]) else {
            throw BelfryError(.notFound, "there is no run number \(sequence)")
        }
        var run = try RunRecord(row)
        if try expireIfOverdue(run) { return nil }
        try execute(
            "UPDATE runs SET state = 'running', started = ? WHERE sequence = ?", [now.milliseconds, sequence]
        )
        run.state = .running
        run.started = now
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run", run.id.description)
        writer.member("event", run.event.description)
        writer.member("rule", run.rule)
        writer.member("rule_version", run.ruleVersion)
        writer.endObject()
        try append(
            DraftFrame(
                time: now, topic: .runs, run: run.id, rule: run.rule, type: .runStarted,
                data: RawJSON(trusted: writer.bytes)
            )
        )
        try append(
            AuditDraft(
                by: .hub, action: "run.started", subject: run.id.description,
                detail: JSONObject([
                    .init(key: "event", value: .string(run.event.description)),
                    .init(key: "rule", value: .string(run.rule)),
                    .init(key: "rule_version", value: .int(run.ruleVersion)),
                ])
            )
        )
        return run
    }
}
