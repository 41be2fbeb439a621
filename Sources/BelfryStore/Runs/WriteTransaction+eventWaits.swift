import BelfryCore
import GRDB

/// How far an event has come through the runs that it resumes.
struct ResumptionPlace: Sendable, Equatable {
    /// The row of what they have waited for.
    var awaited: Int64
    /// Id of the last run that was told; empty: none was.
    var last: [UInt8] = []

    init(awaited: Int64) { self.awaited = awaited }

    /// - Parameter subject: of a timer, as ``subject`` makes it.
    init(subject: [UInt8]) {
        awaited = subject.prefix(8).reduce(0) { $0 << 8 | Int64($1) }
        last = Array(subject.dropFirst(8))
    }

    var subject: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: awaited >> (56 - 8 * $0)) } + last }
}

/// Steps that wait for an event. The order of commits decides: an event that is committed behind the wait resumes it, one
/// that is committed before is found by looking back, and no event is both.
///
/// All that wait for the same share a row of `awaited`, and an event that comes is written there: this costs the same for one
/// run and for thousands. From then on it is theirs, whatever comes next, and whenever they hear of it.
extension WriteTransaction {
    /// Tells the runs that wait at this step for these values, the first of them at once. Each goes on in a transaction of
    /// its own.
    /// - Returns: nil if nobody waits for the event.
    func resume(
        _ resumption: MatchRequest.Resumption, _ match: MatchRequest, by event: Event
    ) throws -> AdmittedMatches.Row? {
        let what = EventWaitKey(
            rule: match.rule, ruleVersion: match.ruleVersion, name: resumption.step, key: resumption.key.bytes)
        guard let awaited = try openRow(of: what) else { return nil }
        let own = try rows(
            """
            SELECT run, step FROM event_waits
            WHERE awaited = ? AND run IN (SELECT id FROM runs WHERE event = ? AND rule = ?)
            """,
            [awaited, event.id.bytes.blob, match.rule])
        let waiting = try row("SELECT count(*) AS count FROM event_waits WHERE awaited = ?", [awaited])?.int("count")
        let count = Int(waiting ?? 0) - own.count
        guard count > 0 else { return nil }
        try execute("UPDATE awaited SET event = ? WHERE id = ?", [event.id.bytes.blob, awaited])
        if !own.isEmpty {
            let others = try insertOpenRow(of: what)
            for row in own {
                let run: RunID = try row.identifier("run")
                try execute(
                    "UPDATE event_waits SET awaited = ? WHERE run = ? AND step = ?",
                    [others, run.bytes.blob, row.int("step")])
            }
        }
        let told = Array(try wakeResumed(from: ResumptionPlace(awaited: awaited)).prefix(Limits.resumedRunsTold))
        // The first stands in the row.
        var detail = "step \(resumption.step)"
        if told.count > 1 { detail += "; also \(told.dropFirst().map(\.description).joined(separator: ", "))" }
        if told.count < count { detail += " and \((count - told.count).counted("more run"))" }
        var row = AdmittedMatches.Row(
            match: match, decision: .init(outcome: .resumed, detail: detail), run: told.first)
        row.resumed = told
        return row
    }

    /// Tells the next runs of those that an event resumes, and sees to it that the others are told.
    /// - Returns: those that are told now.
    @discardableResult
    func wakeResumed(from place: ResumptionPlace) throws -> [RunID] {
        let runs: [RunID] = try rows(
            """
            SELECT run FROM event_waits INDEXED BY event_waits_awaited
            WHERE awaited = ? AND run > ? ORDER BY run LIMIT ?
            """,
            [place.awaited, place.last.blob, Limits.resumedRunsWokenMax]
        ).map { try $0.identifier("run") }
        wakes += runs
        if runs.count == Limits.resumedRunsWokenMax {
            var next = place
            next.last = runs.last?.bytes ?? []
            try setTimer(.resumption, subject: next.subject, due: now)
        }
        return runs
    }

    /// A step goes on with an event that was stored before it began to wait: one more match of the event's last round.
    func resume(_ run: RunRecord, at step: Int, byStored event: EventID) throws {
        guard let stored = try row("SELECT sequence, round FROM events WHERE id = ?", [event.bytes.blob]),
            let wait = try row(
                "SELECT name FROM awaited WHERE id = (SELECT awaited FROM event_waits WHERE run = ? AND step = ?)",
                [run.id.bytes.blob, step])
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
        let what = EventWaitKey(rule: run.rule, ruleVersion: run.ruleVersion, name: wait.name, key: wait.key)
        let awaited = try openRow(of: what) ?? insertOpenRow(of: what)
        let last = wait.lookBack == nil ? nil : try row("SELECT max(sequence) AS last FROM events")?.int("last")
        try execute(
            "INSERT INTO event_waits (run, step, awaited, look_back, stored) VALUES (?, ?, ?, ?, ?)",
            [run.id.bytes.blob, wait.step, awaited, wait.lookBack?.milliseconds, last ?? 0])
    }

    /// The steps of a change that have ended wait no more.
    func endWaits(_ change: RunChange) throws {
        for step in change.steps where step.kind == "wait" && step.state.isEnded {
            try release(
                rows(
                    "DELETE FROM event_waits WHERE run = ? AND step = ? RETURNING awaited",
                    [change.run.bytes.blob, step.index]))
        }
    }

    /// Nothing of the run waits any more, however it ended.
    func endWaits(of run: RunID) throws {
        try release(rows("DELETE FROM event_waits WHERE run = ? RETURNING awaited", [run.bytes.blob]))
    }

    /// - Throws: `conflict` with the `event` that has come for a step.
    func checkNothingCame(for step: Int, of run: RunRecord) throws {
        let sql = """
            SELECT name, event FROM awaited
            WHERE id = (SELECT awaited FROM event_waits WHERE run = ? AND step = ?) AND event IS NOT NULL
            """
        guard let row = try row(sql, [run.id.bytes.blob, step]) else { return }
        let event: EventID = try row.identifier("event")
        throw BelfryError(
            .conflict, "step \(row.text("name")) goes on with \(event), which has just come",
            details: ["event": .string(event.description)])
    }

    // MARK: What is waited for

    private struct EventWaitKey {
        var rule: String
        var ruleVersion: Int64
        var name: String
        var key: [UInt8]
    }

    private func openRow(of what: EventWaitKey) throws -> Int64? {
        try row(
            """
            SELECT id FROM awaited INDEXED BY awaited_open
            WHERE rule = ? AND rule_version = ? AND name = ? AND key = ? AND event IS NULL
            """,
            [what.rule, what.ruleVersion, what.name, what.key.blob])?.int("id")
    }

    private func insertOpenRow(of what: EventWaitKey) throws -> Int64 {
        try execute(
            "INSERT INTO awaited (rule, rule_version, name, key) VALUES (?, ?, ?, ?)",
            [what.rule, what.ruleVersion, what.name, what.key.blob])
        return db.lastInsertedRowID
    }

    /// What nobody waits for any more is gone.
    private func release(_ ended: [Row]) throws {
        for row in ended {
            try execute(
                "DELETE FROM awaited WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM event_waits WHERE awaited = ?1)",
                [row.int("awaited")])
        }
    }
}
