public import BelfryCore
import GRDB

extension Store {
    /// Matches the event of a repeated delivery on today's rules, as a new round: mend a rule, let the sender repeat
    /// the delivery. What is matched is what is stored, whatever the repetition says.
    ///
    /// - Parameters:
    ///   - replay: the stored event, with its matches of today.
    ///   - duplicate: what ``accept(_:)`` said of it.
    ///   - delivery: the one that repeats it, for the audit.
    /// - Returns: the event's status and the runs that this has made; the duplicate with its runs, if it has started
    ///   something meanwhile.
    public func matchAgain(
        _ replay: EventReplay, duplicate: AcceptedEvent, of delivery: AcceptedDelivery
    ) async throws(BelfryError) -> AcceptedEvent {
        try await writer.perform(bytes: 512) { [self] transaction in
            try checkIsCurrent(replay.generation)
            return try transaction.matchAgain(replay, duplicate: duplicate, of: delivery)
        }
    }
}

extension WriteTransaction {
    /// Whether an event has started nothing, nor counts in a group, and today's rules may make something of it. What
    /// became of a group became of the matches that waited in it.
    /// - Parameter version: today's rule set. Where no rule matched, the same rules would not either.
    func mayMatchAgain(_ event: EventID, ruleSetVersion version: Int64) throws -> Bool {
        let sql = """
            SELECT ruleset_version, runs, (SELECT count(*) FROM matches WHERE event = sequence) AS matches,
                EXISTS (SELECT 1 FROM matches WHERE event = sequence
                    AND coalesce(
                        iif(outcome = 'grouped', (SELECT outcome FROM match_groups WHERE id = match_group), NULL),
                        outcome) NOT IN ('limited', 'paused', 'broken', 'observed', 'looped')) AS has_effect
            FROM events WHERE id = ?
            """
        guard let row = try row(sql, [event.bytes.blob]), row.int("runs") == 0, !row.flag("has_effect") else {
            return false
        }
        return row.int("matches") > 0 || row.int("ruleset_version") != version
    }

    fileprivate func matchAgain(
        _ replay: EventReplay, duplicate: AcceptedEvent, of delivery: AcceptedDelivery
    ) throws -> AcceptedEvent {
        // Two repetitions at the same time: the first one has it.
        guard try mayMatchAgain(replay.event.id, ruleSetVersion: replay.ruleSetVersion) else {
            var duplicate = duplicate
            duplicate.runs = try runs(of: duplicate.event)
            return duplicate
        }
        var (accepted, _) = try admitOnceMore(replay)
        accepted.firstSeen = duplicate.firstSeen
        var delivery = delivery
        delivery.ruleSetVersion = replay.ruleSetVersion
        try publish(
            accepted, event: replay.event, action: "event.matched_again", delivery: delivery, sameBodyAs: nil)
        return accepted
    }
}
