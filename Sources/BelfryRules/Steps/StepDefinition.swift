import BelfryCore

/// One step of a run.
public struct StepDefinition: Sendable {
    public enum Action: Sendable {
        case agent(AgentStep)
        /// The first names a command of the server's `commands:` table and is no template; see ``CommandArguments``.
        case command([Template])
        case approve(ApproveStep)
        case send(SendStep)
        case wait(WaitStep)
    }

    /// What a step is, as its key, its row and its frames say.
    public enum Kind: String, Sendable, Hashable, CaseIterable { case agent, command, approve, send, wait }

    /// Unique within the rule.
    public var name: String
    public var action: Action
    /// Key `if`: a pattern on the run's context; the step is skipped if that does not satisfy it.
    public var condition: EventPattern?
    /// One attempt of an `agent`, `command` or `send` is cut when it takes longer. The others have times of their own.
    public var timeout: Duration = Limits.stepTimeoutDefault
    /// Key `retry`, of `agent` and `command`: what follows a failure; nil: the run fails.
    public var retry: RetryPolicy?
    /// Key `default`: what takes the output's place where the step is skipped (by its `if` or an operator), or an event
    /// that it waits for does not come. Never of `approve`: nothing supplies a decision.
    public var defaultOutput: TemplateValue?
    /// From 0, without gaps: the steps of one `parallel` group have the same, every other step one of its own. A stage
    /// begins when the one before has ended.
    public var stage = 0

    public init(name: String, action: Action) {
        self.name = name
        self.action = action
    }

    /// What a `wait: { for }` waits for.
    public var eventWait: EventWait? { if case .wait(.event(let wait)) = action { wait } else { nil } }

    /// Names of the server's `targets:` that it, or a tool of its agent, sends to.
    public var targets: [String] {
        switch action {
        case .send(let send): [send.target]
        case .agent(let agent):
            agent.tools.compactMap { if case .http(let tool) = $0.action { tool.target } else { nil } }
        case .command, .approve, .wait: []
        }
    }

    public var kind: Kind {
        switch action {
        case .agent: .agent
        case .command: .command
        case .approve: .approve
        case .send: .send
        case .wait: .wait
        }
    }
}
