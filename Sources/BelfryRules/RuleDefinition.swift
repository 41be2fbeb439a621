public import BelfryCore

/// A rule as its document says it: which events start which run.
public struct RuleDefinition: Sendable {
    public var name: String
    public var about: String?
    /// Key `enabled`.
    public var isEnabled = true
    /// `mode: observe`: matches are recorded, nothing starts.
    public var observesOnly = false
    /// Key `when`.
    public var pattern: EventPattern
    public var limits = RuleLimits()
    /// Key `group`; nil: each match stands for itself.
    public var group: GroupSettings?
    /// Key `resolve`: the events that end what the rule's matches have begun; nil: none does.
    public var resolve: ResolveSettings?
    /// Key `on_resolved`.
    public var onResolved = OnResolved.ignore
    /// Whether the document says `on_resolved`.
    var onResolvedIsGiven = false
    /// See ``DocumentDecoder/alertSources(_:)``.
    var alertSources: [String] = []
    /// Whether each match is also a notice on the topic `alerts`.
    public var notify = false
    /// Key `run.params`: what an operator may adjust on a run, in the order of the document.
    public var params: [ParameterDefinition] = []
    /// At least one, in the order of the document.
    public var steps: [StepDefinition]

    public init(name: String, pattern: EventPattern, steps: [StepDefinition]) {
        self.name = name
        self.pattern = pattern
        self.steps = steps
    }
}

/// Which matches of a rule belong together, and when they start a run.
public struct GroupSettings: Sendable, Hashable {
    /// Places in the event, written as in templates; events with the same values there are one group. A missing value is
    /// null. Empty: all matches of the rule are one group.
    public var by: [TemplatePath]
    public var policy: GroupPolicy

    public init(by: [TemplatePath] = [], policy: GroupPolicy = GroupPolicy()) {
        self.by = by
        self.policy = policy
    }
}
