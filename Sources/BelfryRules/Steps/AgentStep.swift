public import BelfryCore

/// A step that asks an agent.
public struct AgentStep: Sendable, Hashable {
    /// The agent's name.
    public var agent: String
    public var prompt: Template
    /// Key `output: {schema}`: a JSON Schema that the answer must satisfy; nil: the answer is text.
    public var schema: JSONSchema?
    /// What the agent may call; empty: nothing.
    public var tools: [ToolGrant] = []
    /// With tools: how often the model may be asked in one attempt; a call that would need more fails the step.
    public var turns = Limits.agentTurnsDefault
    /// Key `tokens`: what one attempt may use, as the rule's budget counts them; nil: only that budget holds.
    public var tokensMax: Int?

    public init(agent: String, prompt: Template, schema: JSONSchema? = nil) {
        self.agent = agent
        self.prompt = prompt
        self.schema = schema
    }
}
