public import BelfryCore

/// A step that asks an agent.
public struct AgentStep: Sendable, Hashable {
    /// The agent's name.
    public var agent: String
    public var prompt: Template
    /// Key `output: {schema}`: a JSON Schema that the answer must satisfy; nil: the answer is text.
    public var schema: JSONSchema?

    public init(agent: String, prompt: Template, schema: JSONSchema? = nil) {
        self.agent = agent
        self.prompt = prompt
        self.schema = schema
    }
}
