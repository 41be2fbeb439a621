public import BelfryCore

/// One message of what an agent is asked.
public enum AgentMessage: Sendable, Hashable {
    /// What the operator says; it stands before everything an event has a part in.
    case system(String)
    case user(String)
    /// What the agent said before, with the tools it called then.
    case assistant(String, toolCalls: [ToolCall])
    /// What came of a call of the assistant message before it.
    case toolResult(id: String, text: String, isError: Bool)

    /// The message's own words; for a tool call its arguments count too.
    var bytes: Int {
        switch self {
        case .system(let text), .user(let text), .toolResult(_, let text, _): text.utf8.count
        case .assistant(let text, let calls):
            calls.reduce(text.utf8.count) { $0 + $1.name.utf8.count + $1.arguments.utf8.count }
        }
    }
}

/// A call of a tool, as a model asked for it.
public struct ToolCall: Sendable, Hashable {
    /// The provider's, or one that was made for it: unique within one answer.
    public var id: String
    public var name: String
    /// JSON as the model wrote it: nobody has checked it; "" for no arguments.
    public var arguments: String

    public init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}

/// A tool that a model may call.
public struct ToolDefinition: Sendable, Hashable {
    /// Letters, digits, `_` and `-`, at most 64 of them: what every provider takes.
    public var name: String
    public var description: String
    /// JSON Schema of the arguments, an object.
    public var parameters: JSONValue

    public init(name: String, description: String, parameters: JSONValue) {
        self.name = name
        self.description = description
        self.parameters = parameters
    }
}

/// Why a model stopped, in the words of OpenAI's API for what all of them know; else in the provider's own.
public struct FinishReason: RawRepresentable, Sendable, Hashable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// It was finished.
    public static let stop = FinishReason(rawValue: "stop")
    /// Its tokens or its context were used up: the text is cut.
    public static let length = FinishReason(rawValue: "length")
    /// It waits for the results of its calls.
    public static let toolCalls = FinishReason(rawValue: "tool_calls")
    /// The provider held back the answer, or its rest.
    public static let contentFilter = FinishReason(rawValue: "content_filter")
    /// The model would not answer.
    public static let refusal = FinishReason(rawValue: "refusal")
}
