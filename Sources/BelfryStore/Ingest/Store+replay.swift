public import BelfryCore
import GRDB

/// A stored event with the rules of today that it matches.
public struct EventReplay: Sendable {
    public var event: Event
    /// The version of the rule set the matches were found with.
    public var ruleSetVersion: Int64
    /// As ``AcceptedDelivery/generation``.
    public var generation: Int?
    public var matches: [MatchRequest]
    /// The one rule that was asked for; nil for all.
    public var rule: String?

    public init(event: Event, ruleSetVersion: Int64, matches: [MatchRequest], rule: String? = nil) {
        self.event = event
        self.ruleSetVersion = ruleSetVersion
        self.matches = matches
        self.rule = rule
    }
}

extension Store {
    /// Matches a stored event once more, as a new round: each match is admitted as ever and its outcome stored.
    ///
    /// A rule whose last run for this event has ended runs again, as a retry of that run; one whose run
    /// has not is `joined`.
    ///
    /// - Returns: the event's status, and the runs this round has made.
    /// - Throws: `not_found`; what every write throws; what ``BelfryError/asksForRematch`` says.
    public func replay(_ replay: EventReplay, by principal: Principal) async throws(BelfryError) -> AcceptedEvent {
        try await writer.perform(bytes: 512) { [self] transaction in
            try checkIsCurrent(replay.generation)
            return try transaction.replay(replay, by: principal)
        }
    }
}

extension WriteTransaction {
    fileprivate func replay(_ replay: EventReplay, by principal: Principal) throws -> AcceptedEvent {
        let event = replay.event
        let (accepted, round) = try admitOnceMore(replay)
        try announce(accepted, event: event)
        var detail: JSONObject = [
            "source": .string(event.source), "round": .int(round), "ruleset_version": .int(replay.ruleSetVersion),
            "status": .string(accepted.status.rawValue),
            "runs": .array(accepted.runs.map { .string($0.description) }),
        ]
        if !accepted.resumed.isEmpty {
            detail["resumed"] = .array(accepted.resumed.map { .string($0.description) })
        }
        if let rule = replay.rule { detail["rule"] = .string(rule) }
        try append(
            AuditDraft(by: principal, action: "event.replayed", subject: event.id.description, detail: detail)
        )
        return accepted
    }

    /// Admits the matches of a stored event as its next round. The caller tells of it.
    func admitOnceMore(_ replay: EventReplay) throws -> (accepted: AcceptedEvent, round: Int64) {
        let event = replay.event
        let stored = try row("SELECT sequence, round, traceparent FROM events WHERE id = ?", [event.id.bytes.blob])
        guard let stored else { throw BelfryError(.notFound, "there is no event \(event.id)") }
        let pause = try pauseState(source: event.source)
        let admitted = try admit(
            replay.matches, of: event, traceparent: stored.optionalText("traceparent"), pause: pause, isReplay: true
        )
        // Also the run of a group that the event has found overdue, and that is about this event.
        let before = try row("SELECT runs FROM events WHERE id = ?", [event.id.bytes.blob])?.int("runs") ?? 0
        let runs = Int(before) + admitted.runs.count
        let status: EventStatus =
            runs > 0 ? .matched : Admission.status(of: admitted.outcomes.map(\.outcome), isPaused: pause.isPaused)
        let round = stored.int("round") + 1
        try beginRound(
            round, of: stored.int("sequence"), admitted, status: status, runs: runs,
            ruleSetVersion: replay.ruleSetVersion
        )
        let accepted = AcceptedEvent(
            event: event.id, status: status, runs: admitted.runs, resumed: admitted.resumed,
            outcomes: admitted.outcomes)
        return (accepted, round)
    }
}
