/// Where a run stands: `queued → running ⇄ waiting → succeeded | failed | expired`, and from any of the first three
/// `stopping → stopped`.
public enum RunState: String, Sendable, Hashable, CaseIterable {
    case queued, running, waiting, stopping, succeeded, failed, expired, stopped

    /// Nothing changes a run that has ended.
    public var isEnded: Bool {
        switch self {
        case .succeeded, .failed, .expired, .stopped: true
        case .queued, .running, .waiting, .stopping: false
        }
    }

    /// Whether a run may go from this state to `next`.
    public func allows(_ next: RunState) -> Bool {
        switch (self, next) {
        case (.queued, .running), (.running, .waiting), (.waiting, .running): true
        case (.running, .succeeded), (.running, .failed): true
        case (.queued, .expired), (.waiting, .expired), (.waiting, .failed): true
        case (.queued, .stopping), (.running, .stopping), (.waiting, .stopping): true
        case (.stopping, .stopped): true
        default: false
        }
    }
}

/// Where a step stands.
public enum StepState: String, Sendable, Hashable, CaseIterable {
    case pending, running, waiting, succeeded, failed, skipped, stopped

    public var isEnded: Bool {
        switch self {
        case .succeeded, .failed, .skipped, .stopped: true
        case .pending, .running, .waiting: false
        }
    }
}

/// Why a step ended as it did, where its state alone does not say.
public enum StepReason: String, Sendable, Hashable, CaseIterable {
    /// Skipped: its `if` did not hold.
    case condition
    /// Skipped by a person.
    case `operator`
    /// An approval was denied.
    case denied
    /// Nobody decided an approval, or nothing came that was waited for, in time.
    case expired
}

/// What became of a question to a person.
public enum Decision: String, Sendable, Hashable, CaseIterable {
    case approve, deny
    /// The question is not asked any more: its run has ended, its step was skipped, or what it stood before has changed.
    case void
}

/// Why a run ended.
public enum EndReason: String, Sendable, Hashable, CaseIterable {
    case completed, `operator`, resolved, denied, budget, timeout, interrupted, error, maxWait = "max_wait"
    /// A newer run of its group took its place (`while_running: restart`).
    case replaced
}

/// What became of a match: exactly one of these is stored for each.
public enum Outcome: String, Sendable, Hashable, CaseIterable {
    /// A run was made and may begin at once.
    case started
    /// A run was made and waits for a place (`limits.concurrency`).
    case queued
    /// The event joined a group that waits.
    case grouped
    case belowThreshold = "below_threshold"
    case cooling
    case joined
    /// Over `limits.runs_per_hour` or the token budget: no run.
    case limited
    /// The loop guard: too many hops.
    case looped
    /// The rule only observes (`mode: observe`).
    case observed
    /// The source, the rule or everything is paused.
    case paused
    /// The rule's breaker is open.
    case broken
    case resolved
    /// Runs that waited for the event at a step go on with it. Beside what the event starts, if anything.
    case resumed
}
