import BelfryCore

/// The stateful decision about a match, from rows that were read in the same transaction. Pure.
enum Admission {
    /// What holds at the moment of the decision.
    struct Facts: Sendable, Equatable {
        var isAllPaused = false
        var isSourcePaused = false
        var isRuleRemoved = false
        var isRuleEnabled = true
        /// Nil also when it is over.
        var mute: RuleMute?
        /// The operator's switch, beside ``MatchRequest/observesOnly``.
        var isObserving = false
        /// The rule's breaker is open.
        var broken: BrokenRule?
        /// Runs that led to the event.
        var hops = 0
        /// What the rule's steps have used today; asked for only where its tokens are limited.
        var tokens = TokenCount()
        /// Unfinished runs of the rule; counted no further than needed.
        var unfinishedRuns = 0
        /// The rule's `runs_per_hour`-th last run is less than an hour old.
        var isHourFull = false
    }

    struct Decision: Sendable, Equatable {
        var outcome: Outcome
        var detail: String?
    }

    /// First the ``gate(_:_:)``, then the ``limit(_:_:)``.
    static func decide(_ match: MatchRequest, _ facts: Facts) -> Decision {
        gate(match, facts) ?? limit(match, facts)
    }

    /// What keeps a match from counting at all; nil: it counts.
    static func gate(_ match: MatchRequest, _ facts: Facts) -> Decision? {
        if facts.isAllPaused { return Decision(outcome: .paused, detail: "everything is paused (belfry resume)") }
        if facts.isSourcePaused {
            return Decision(outcome: .paused, detail: "the source is paused (belfry sources resume)")
        }
        if facts.isRuleRemoved {
            return Decision(outcome: .paused, detail: "the rule was removed since the event was matched")
        }
        if !facts.isRuleEnabled {
            return Decision(outcome: .paused, detail: "the rule was disabled since the event was matched")
        }
        if let mute = facts.mute {
            return Decision(outcome: .paused, detail: "muted until \(mute.until) by \(mute.by)")
        }
        if let broken = facts.broken {
            return Decision(
                outcome: .broken,
                detail: "since \(broken.since): \(broken.reason) (belfry rules enable \(match.rule))"
            )
        }
        if facts.hops >= Limits.hopsMax {
            return Decision(
                outcome: .looped,
                detail:
                    "\(facts.hops.counted("run")) led to this event, one after the other; the limit is \(Limits.hopsMax)"
            )
        }
        if match.observesOnly { return Decision(outcome: .observed, detail: "mode: observe") }
        if facts.isObserving { return Decision(outcome: .observed, detail: "switched to observe") }
        return nil
    }

    /// Whether what is to run may begin.
    static func limit(_ match: MatchRequest, _ facts: Facts) -> Decision {
        if facts.tokens.isSpent(match.limits) {
            return Decision(outcome: .limited, detail: "limits.\(facts.tokens.text(match.limits))")
        }
        if match.limits.runsPerHour <= 0 || facts.isHourFull {
            return Decision(
                outcome: .limited,
                detail: "limits.runs_per_hour: \(match.limits.runsPerHour.counted("run")) in the last hour"
            )
        }
        if facts.unfinishedRuns >= match.limits.concurrency {
            return Decision(
                outcome: .queued, detail: "limits.concurrency: \(match.limits.concurrency.counted("run")) not finished"
            )
        }
        return Decision(outcome: .started, detail: nil)
    }

    /// What the outcomes of an event come to. What it resumes goes on whatever is paused.
    static func status(of outcomes: [Outcome], isPaused: Bool) -> EventStatus {
        if outcomes.contains(where: { $0 == .started || $0 == .queued }) { return .matched }
        if outcomes.allSatisfy({ $0 == .resumed }), isPaused { return .paused }
        if outcomes.isEmpty { return .filtered }
        return outcomes.contains(.paused) ? .paused : .accepted
    }
}
