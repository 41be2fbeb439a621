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
    /// At least one.
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

/// One step of a run.
public struct StepDefinition: Sendable {
    public enum Action: Sendable, Hashable {
        case agent(AgentStep)
        /// The first names a command of the server's `commands:` table and is no template; see ``CommandArguments``.
        case command([Template])
    }

    public var name: String
    public var action: Action
    /// Key `if`: a pattern on the run's context; the step is skipped if that does not satisfy it.
    public var condition: EventPattern?
    /// The step is cut when it takes longer.
    public var timeout: Duration = Limits.stepTimeoutDefault

    public init(name: String, action: Action) {
        self.name = name
        self.action = action
    }
}

/// A step that asks an agent.
public struct AgentStep: Sendable, Hashable {
    /// The agent's name.
    public var agent: String
    public var prompt: Template

    public init(agent: String, prompt: Template) {
        self.agent = agent
        self.prompt = prompt
    }
}
