/// How much a rule may do. Limits act on runs, never on deliveries.
public struct RuleLimits: Sendable, Hashable {
    /// Runs of the rule that are at work at the same time; more are queued.
    public var concurrency = Limits.ruleConcurrencyDefault
    /// Runs that may begin within an hour; more matches are recorded as `limited`.
    public var runsPerHour = Limits.ruleRunsPerHourDefault
    /// Tokens that the rule's agent steps may use within one UTC day; nil: any number.
    public var tokensPerDay: Int?
    /// What these tokens may cost within that day, by the prices of the agents; nil: any amount.
    public var costPerDay: Cost?
    /// A run that has waited longer for its place expires; nil: it waits.
    public var maxWait: Duration?
    /// A run that has been at work for longer, waiting included, ends as failed; nil: it may take any time.
    public var runTime: Duration?
    /// So many failed runs in a row open the rule's breaker; 0: none do.
    public var failures = Limits.ruleFailuresDefault

    public init() {}
}

/// When the matches of one group start a run, and what later ones do.
public struct GroupPolicy: Sendable, Hashable {
    /// What a match does while a run of its group has not ended.
    public enum WhileRunning: String, Sendable, Hashable, CaseIterable {
        /// It counts to the run's group.
        case join
        /// It starts another run, behind the one there is.
        case queue
        /// The run is stopped and another one started.
        case restart
        /// It does nothing.
        case ignore
    }

    /// From the group's first event; nil: a group is as long as its run.
    public var within: Duration?
    /// So many events within the window start the run; fewer start none.
    public var threshold: Int?
    /// The run starts after this quiet time, at the latest when the window ends.
    public var debounce: Duration?
    /// From the start of a run to the earliest next one of the group.
    public var cooldown: Duration?
    public var whileRunning = WhileRunning.join

    public init() {}
}

/// What becomes of a run when what started it is resolved.
public enum OnResolved: String, Sendable, Hashable, CaseIterable { case stop, notify, ignore }
