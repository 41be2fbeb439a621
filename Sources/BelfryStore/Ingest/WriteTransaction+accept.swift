import BelfryCore
import Foundation
import GRDB

extension WriteTransaction {
    /// The whole of a delivery: all of its events are stored, or none.
    func accept(_ delivery: AcceptedDelivery) throws -> [AcceptedEvent] {
        let pause = try pauseState(source: delivery.source)
        var accepted: [AcceptedEvent] = []
        accepted.reserveCapacity(delivery.items.count)
        var own: Set<EventID> = []
        for (index, item) in delivery.items.enumerated() {
            if let known = try knownIdentity(item, source: delivery.source) {
                accepted.append(try acceptAgain(item, known: known, delivery: delivery, pause: pause))
            } else {
                let sameBody = try firstWithSameBody(item, source: delivery.source, besides: own)
                if let sameBody, item.refusesSameBody, !item.isKeySigned {
                    throw BelfryError(
                        .sameBody, "the same body came before, under another id (\(sameBody))",
                        details: JSONObject([
                            .init(key: "index", value: .int(index)),
                            .init(key: "event", value: .string(sameBody.description)),
                        ])
                    )
                }
                own.insert(item.event.id)
                accepted.append(try acceptNew(item, sameBodyAs: sameBody, delivery: delivery, pause: pause))
            }
        }
        return accepted
    }

    private func acceptNew(
        _ item: AcceptedDelivery.Item, sameBodyAs: EventID?, delivery: AcceptedDelivery, pause: PauseState
    ) throws -> AcceptedEvent {
        var event = item.event
        let marked = event.key != nil && !item.isKeySigned ? sameBodyAs : nil
        if let marked { event.ext["same_body_as"] = .string(marked.description) }
        let admitted = try admit(item, event: event, pause: pause)
        let status = Admission.status(of: admitted.outcomes.map(\.outcome), isPaused: pause.isPaused)
        let sequence = try insert(
            event, status: status, runs: admitted.runs.count, sameBodyAs: marked, item: item, delivery: delivery
        )
        try insert(admitted.rows, event: sequence, round: 0)
        try remember(item, event: event, source: delivery.source)
        let accepted = AcceptedEvent(event: event.id, status: status, runs: admitted.runs, outcomes: admitted.outcomes)
        try publish(accepted, event: event, action: "event.accepted", delivery: delivery, sameBodyAs: marked)
        return accepted
    }

    /// The same (source, key) once more. If its event has started nothing, today's rules get it again: mend a rule,
    /// let the sender repeat the delivery.
    private func acceptAgain(
        _ item: AcceptedDelivery.Item, known: KnownIdentity, delivery: AcceptedDelivery, pause: PauseState
    ) throws -> AcceptedEvent {
        try refresh(known, item: item, source: delivery.source)
        let duplicate = AcceptedEvent(
            event: known.event, status: .duplicate, firstSeen: known.firstSeen, runs: try runs(of: known.event)
        )
        guard duplicate.runs.isEmpty, !item.matches.isEmpty,
            let stored = try row("SELECT sequence, round FROM events WHERE id = ?", [known.event.bytes.blob])
        else { return duplicate }
        var event = item.event
        event.id = known.event
        let admitted = try admit(item, event: event, pause: pause)
        let status = Admission.status(of: admitted.outcomes.map(\.outcome), isPaused: pause.isPaused)
        let round = stored.int("round") + 1
        try execute(
            "UPDATE events SET status = ?, round = ?, runs = ?, ruleset_version = ? WHERE sequence = ?",
            [status.rawValue, round, admitted.runs.count, delivery.ruleSetVersion, stored.int("sequence")]
        )
        try insert(admitted.rows, event: stored.int("sequence"), round: round)
        let accepted = AcceptedEvent(
            event: known.event, status: status, firstSeen: known.firstSeen, runs: admitted.runs,
            outcomes: admitted.outcomes
        )
        try publish(accepted, event: event, action: "event.matched_again", delivery: delivery, sameBodyAs: nil)
        return accepted
    }

    // MARK: Admission of each match

    private struct AdmittedMatch {
        var match: MatchRequest
        var decision: Admission.Decision
        var run: RunID?
    }

    private func admit(
        _ item: AcceptedDelivery.Item, event: Event, pause: PauseState
    ) throws -> (rows: [AdmittedMatch], runs: [RunID], outcomes: [RuleOutcome]) {
        let rows = try item.matches.map { match in
            let facts = try admissionFacts(match, pause: pause, received: event.received)
            let decision = Admission.decide(match, facts)
            let starts = decision.outcome == .started || decision.outcome == .queued
            let run = starts ? try insertRun(event: event, match: match, traceparent: item.traceparent) : nil
            if match.notifies, decision.outcome != .paused {
                try append(Self.notice(of: match, event: event, run: run).frame(at: now))
            }
            return AdmittedMatch(match: match, decision: decision, run: run)
        }
        let outcomes = rows.map { RuleOutcome(rule: $0.match.rule, outcome: $0.decision.outcome) }
        return (rows, rows.compactMap(\.run), outcomes)
    }

    private static func notice(of match: MatchRequest, event: Event, run: RunID?) -> Notice {
        let text = event.subject.map { "\(event.type) \($0)" } ?? event.type
        return Notice(
            .event, .info, title: "\(match.rule) matched", text: "\(text) from \(event.source)", event: event.id,
            run: run,
            rule: match.rule
        )
    }

    private func insert(_ rows: [AdmittedMatch], event: Int64, round: Int64) throws {
        for row in rows {
            try execute(
                """
                INSERT INTO matches (event, round, rule, rule_version, outcome, run, detail, time)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    event, round, row.match.rule, row.match.ruleVersion, row.decision.outcome.rawValue,
                    row.run?.bytes.blob, row.decision.detail?.blob, now.milliseconds,
                ]
            )
        }
    }

    // MARK: The event's row, frame and audit entry

    private func insert(
        _ event: Event, status: EventStatus, runs: Int, sameBodyAs: EventID?, item: AcceptedDelivery.Item,
        delivery: AcceptedDelivery
    ) throws -> Int64 {
        try execute(
            """
            INSERT INTO events (id, source, status, runs, ruleset_version, time, received, same_body_as, verified_by,
                traceparent, remote, origin, key, type, subject, ext, headers, data)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                event.id.bytes.blob, event.source, status.rawValue, runs, delivery.ruleSetVersion,
                event.time.milliseconds, event.received.milliseconds, sameBodyAs?.bytes.blob, delivery.verifiedBy,
                item.traceparent?.blob, event.remote.blob, event.origin?.blob, event.key?.blob, event.type.blob,
                event.subject?.blob, RawJSON(.object(event.ext)).blob, RawJSON(.object(event.headers)).blob,
                event.data.blob,
            ]
        )
        return db.lastInsertedRowID
    }

    private func publish(
        _ accepted: AcceptedEvent, event: Event, action: String, delivery: AcceptedDelivery, sameBodyAs: EventID?
    ) throws {
        let id = event.id.description
        let runs = accepted.runs.map(\.description)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("event", id)
        writer.member("type", event.type)
        writer.member("subject", ifPresent: event.subject)
        writer.member("status", accepted.status.rawValue)
        writer.key("runs")
        writer.beginArray()
        for run in runs { writer.string(run) }
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
                time: now, topic: .source(delivery.source), source: delivery.source, type: .event,
                data: RawJSON(trusted: writer.bytes)
            )
        )
        // Keys in the order of their bytes: this is what the chain's hash is taken over.
        var detail = JSONWriter()
        detail.beginObject()
        detail.member("remote", delivery.remote)
        detail.member("ruleset_version", delivery.ruleSetVersion)
        detail.key("runs")
        detail.beginArray()
        for run in runs { detail.string(run) }
        detail.endArray()
        detail.member("same_body_as", ifPresent: sameBodyAs?.description)
        detail.member("source", delivery.source)
        detail.member("status", accepted.status.rawValue)
        detail.member("verified_by", ifPresent: delivery.verifiedBy)
        detail.endObject()
        try appendAudit(
            actor: "source/\(delivery.source)", action: action, subject: id, canonicalDetail: detail.bytes
        )
    }
}
