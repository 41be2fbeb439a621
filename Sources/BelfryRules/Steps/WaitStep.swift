import BelfryCore

/// A step that lets time pass, or waits for an event.
public enum WaitStep: Sendable {
    /// `wait: 10m`
    case duration(Duration)
    /// `wait: { for: PATTERN, by: [data.id], within: 1h }`
    case event(EventWait)
}

/// The event that a step waits for: the first that satisfies the pattern and has the same values as the run.
public struct EventWait: Sendable {
    /// Key `for`.
    public var pattern: EventPattern
    /// Empty: every event that satisfies the pattern.
    public var by: [Join]
    /// From when the step begins. Then it fails (timeout), or ends with its `default` if it has one.
    public var within: Duration = Limits.waitDefault
    /// An event that the hub received so long before the step began counts too; nil: only later ones do.
    public var lookBack: Duration?

    public init(pattern: EventPattern, by: [Join] = []) {
        self.pattern = pattern
        self.by = by
    }

    /// Two places whose values must be the same.
    public struct Join: Sendable, Hashable {
        /// What ``own`` may begin with, beside the places of an event.
        static let roots: Set<String> = ["group", "params", "rule", "run", "steps"]

        /// In the event that is waited for: `data.pr`.
        public var later: TemplatePath
        /// In the run's own event, or in what else templates see: `data.number`, `steps.open.output.number`.
        public var own: TemplatePath

        public init(later: TemplatePath, own: TemplatePath) {
            self.later = later
            self.own = own
        }
    }
}
