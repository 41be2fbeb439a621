import BelfryCore
import Foundation
import GRDB

/// What became of the matches of one event, of a new one and of one that is matched again.
struct AdmittedMatches {
    struct Row {
        var match: MatchRequest
        var decision: Admission.Decision
        var run: RunID?
        /// Where the match was counted.
        var group: GroupID?
        /// The runs that waited for the event, the first of them.
        var resumed: [RunID] = []
    }

    var rows: [Row]
    /// The runs that were made.
    var runs: [RunID] { rows.filter { $0.decision.makesRun }.compactMap(\.run) }
    var resumed: [RunID] { rows.flatMap(\.resumed) }
    var outcomes: [RuleOutcome] { rows.map { RuleOutcome(rule: $0.match.rule, outcome: $0.decision.outcome) } }
}

extension Admission.Decision {
    var makesRun: Bool { outcome == .started || outcome == .queued }
}

extension WriteTransaction {
    /// Decides about each match, and makes the runs. What was waited for is asked first: a run that goes on needs no
    /// admission, and one that the event makes does not wait for it.
    /// - Parameter isReplay: an operator asks for it: a rule that has run for this event may run again, once its last
    ///   run has ended, and limits count from now.
    func admit(
        _ matches: [MatchRequest], of event: Event, traceparent: String?, pause: PauseState, isReplay: Bool = false
    ) throws -> AdmittedMatches {
        var rows: [AdmittedMatches.Row] = []
        rows.reserveCapacity(matches.count)
        for match in matches {
            guard let resumption = match.resumes else { continue }
            if let row = try resume(resumption, match, by: event) { rows.append(row) }
        }
        for match in matches where match.resumes == nil {
            let received = isReplay ? now : event.received
            let earlier = isReplay ? try lastRun(of: match.rule, event: event.id) : nil
            let row: AdmittedMatches.Row
            if let earlier, !earlier.isEnded {
                let joined = Admission.Decision(outcome: .joined, detail: "the run before has not ended")
                row = AdmittedMatches.Row(match: match, decision: joined, run: earlier.run)
            } else {
                let facts = try admissionFacts(match, of: event, pause: pause, received: received)
                row = try admit(
                    match,
                    RunStart(
                        event: event, traceparent: traceparent, received: received, facts: facts, earlier: earlier))
            }
            if match.notifies, !match.resolves, row.decision.outcome != .paused {
                try append(Self.notice(of: match, event: event, run: row.run).frame(at: now))
            }
            rows.append(row)
        }
        return AdmittedMatches(rows: rows)
    }

    /// One match: the gate, what it resolves, its group, the limits, its run.
    private func admit(_ match: MatchRequest, _ start: RunStart) throws -> AdmittedMatches.Row {
        if let gate = Admission.gate(match, start.facts) {
            return AdmittedMatches.Row(match: match, decision: gate, run: nil)
        }
        if match.resolves { return try resolve(match, by: start.event, received: start.received) }
        if let membership = match.group, let policy = membership.policy {
            return try admitToGroup(match, membership, policy, start: start)
        }
        let decision = Admission.limit(match, start.facts)
        if decision.outcome == .limited { try noticeSpentTokens(rule: match.rule, limits: match.limits) }
        guard decision.makesRun else { return AdmittedMatches.Row(match: match, decision: decision, run: nil) }
        let run = try insertRun(
            event: start.event, match: match, traceparent: start.traceparent, received: start.received,
            after: start.earlier, place: match.group.map { RunPlace(key: $0.key.bytes) })
        return AdmittedMatches.Row(match: match, decision: decision, run: run)
    }

    private static func notice(of match: MatchRequest, event: Event, run: RunID?) -> Notice {
        let text = event.subject.map { "\(event.type) \($0)" } ?? event.type
        return Notice(
            .event, .info, title: "\(match.rule) matched", text: "\(text) from \(event.source)", event: event.id,
            run: run, rule: match.rule
        )
    }

    /// One more round of matches of an event that is stored.
    /// - Parameter runs: all that the event has made so far.
    func beginRound(
        _ round: Int64, of event: Int64, _ admitted: AdmittedMatches, status: EventStatus, runs: Int,
        ruleSetVersion: Int64
    ) throws {
        try execute(
            "UPDATE events SET status = ?, round = ?, runs = ?, ruleset_version = ? WHERE sequence = ?",
            [status.rawValue, round, runs, ruleSetVersion, event]
        )
        try insert(admitted, event: event, round: round)
    }

    func insert(_ admitted: AdmittedMatches, event: Int64, round: Int64) throws {
        for (index, row) in admitted.rows.enumerated() {
            let part = row.match.resumes == nil ? 0 : index + 1
            try execute(
                """
                INSERT INTO matches (event, round, rule, part, rule_version, outcome, run, detail, time, match_group)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    event, round, row.match.rule, part, row.match.ruleVersion, row.decision.outcome.rawValue,
                    row.run?.bytes.blob, row.decision.detail?.blob, now.milliseconds, row.group?.bytes.blob,
                ]
            )
        }
    }

    /// The EVENT frame: what an event came to, without its payload.
    func announce(_ accepted: AcceptedEvent, event: Event) throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("event", event.id.description)
        writer.member("type", event.type)
        writer.member("subject", ifPresent: event.subject)
        writer.member("status", accepted.status.rawValue)
        writer.key("runs")
        writer.beginArray()
        for run in accepted.runs { writer.string(run.description) }
        writer.endArray()
        writer.key("outcomes")
        writer.beginArray()
        for outcome in accepted.outcomes {
            writer.beginObject()
            writer.member("rule", outcome.rule)
            writer.member("outcome", outcome.outcome.rawValue)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        try append(
            DraftFrame(
                time: now, topic: .source(event.source), source: event.source, type: .event,
                data: RawJSON(trusted: writer.bytes)
            )
        )
    }
}
