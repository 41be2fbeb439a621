import BelfryCore
import GRDB

/// Steps that wait for an event. The order of commits decides: an event that is committed behind the wait resumes it, one
/// that is committed before is found by looking back, and no event is both.
extension WriteTransaction {
    /// Tells the runs that wait at this step for these values. Each goes on in a transaction of its own: until then the
    /// event stands with the wait.
    /// - Returns: nil if nobody waits for the event.
    func resume(
        _ resumption: MatchRequest.Resumption, _ match: MatchRequest, by event: Event
    ) throws -> AdmittedMatches.Row? {
        let waiting = try rows(
            """
            SELECT run, step FROM event_waits INDEXED BY event_waits_open
            WHERE rule = ? AND rule_version = ? AND name = ? AND key = ? AND event IS NULL AND own <> ?
            """,
            [match.rule, match.ruleVersion, resumption.step, resumption.key.bytes.blob, event.id.bytes.blob])
        if waiting.isEmpty { return nil }
        var runs: [RunID] = []
        for row in waiting {
            let run: RunID = try row.identifier("run")
            try execute(
                "UPDATE event_waits SET event = ? WHERE run = ? AND step = ?",
                [event.id.bytes.blob, run.bytes.blob, row.int("step")])
            runs.append(run)
        }
        wakes += runs
        let told = Array(runs.prefix(Limits.resumedRunsTold))
        // The first stands in the row.
        var detail = "step \(resumption.step)"
        if told.count > 1 { detail += "; also \(told.dropFirst().map(\.description).joined(separator: ", "))" }
        if told.count < runs.count { detail += " and \((runs.count - told.count).counted("more run"))" }
        var row = AdmittedMatches.Row(
            match: match, decision: .init(outcome: .resumed, detail: detail), run: runs.first)
        row.resumed = told
        return row
    }

    /// A step goes on with an event that was stored before it began to wait: one more match of the event's last round.
    func resume(_ run: RunRecord, at step: Int, byStored event: EventID) throws {
        guard let stored = try row("SELECT sequence, round FROM events WHERE id = ?", [event.bytes.blob]),
            let wait = try row("SELECT name FROM event_waits WHERE run = ? AND step = ?", [run.id.bytes.blob, step])
        else { return }
        try execute(
            """
            INSERT INTO matches (event, round, rule, part, rule_version, outcome, run, detail, time)
            SELECT ?1, ?2, ?3, coalesce(max(part), 0) + 1, ?4, ?5, ?6, ?7, ?8
            FROM matches WHERE event = ?1 AND round = ?2 AND rule = ?3
            """,
            [
                stored.int("sequence"), stored.int("round"), run.rule, run.ruleVersion, Outcome.resumed.rawValue,
                run.id.bytes.blob, "step \(wait.text("name")), looking back".blob, now.milliseconds,
            ])
        try execute(
            "UPDATE events SET status = ? WHERE sequence = ? AND status = ?",
            [EventStatus.accepted.rawValue, stored.int("sequence"), EventStatus.filtered.rawValue])
    }

    /// A step begins to wait.
    func begin(_ wait: EventWaitRecord, of run: RunRecord) throws {
        let last = wait.lookBack == nil ? nil : try row("SELECT max(sequence) AS last FROM events")?.int("last")
        try execute(
            """
            INSERT INTO event_waits (run, step, rule, rule_version, name, key, own, look_back, stored)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                run.id.bytes.blob, wait.step, run.rule, run.ruleVersion, wait.name, wait.key.blob, run.event.bytes.blob,
                wait.lookBack?.milliseconds, last ?? 0,
            ])
    }

    /// The steps of a change that have ended wait no more.
    func endWaits(_ change: RunChange) throws {
        for step in change.steps where step.kind == "wait" && step.state.isEnded {
            try execute(
                "DELETE FROM event_waits WHERE run = ? AND step = ?", [change.run.bytes.blob, step.index])
        }
    }

    /// Nothing of the run waits any more, however it ended.
    func endWaits(of run: RunID) throws {
        try execute("DELETE FROM event_waits WHERE run = ?", [run.bytes.blob])
    }

    /// - Throws: `conflict` with the `event` that has come for a step.
    func checkNothingCame(for step: Int, of run: RunRecord) throws {
        let sql = "SELECT name, event FROM event_waits WHERE run = ? AND step = ? AND event IS NOT NULL"
        guard let row = try row(sql, [run.id.bytes.blob, step]) else { return }
        let event: EventID = try row.identifier("event")
        throw BelfryError(
            .conflict, "step \(row.text("name")) goes on with \(event), which has just come",
            details: ["event": .string(event.description)])
    }
}
