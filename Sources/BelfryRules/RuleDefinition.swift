import BelfryCore

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

/// How much a rule may do. Limits act on runs, never on deliveries.
public struct RuleLimits: Sendable, Hashable {
    /// Runs of the rule that are at work at the same time; more are queued.
    public var concurrency = Limits.ruleConcurrencyDefault
    /// Runs that may begin within an hour; more matches are recorded as `limited`.
    public var runsPerHour = Limits.ruleRunsPerHourDefault

    public init() {}
}

/// One step of a run.
public struct StepDefinition: Sendable, Hashable {
    public enum Action: Sendable, Hashable {
        case agent(AgentStep)
        /// The first names a command of the server's `commands:` table and is no template; see ``CommandArguments``.
        case command([Template])
    }

    public var name: String
    public var action: Action
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
