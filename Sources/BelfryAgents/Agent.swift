public import BelfryCore

/// What one step asks of an agent, with everything rendered.
public struct AgentRequest: Sendable {
    public var run: RunID
    public var step: String
    /// From 1; a restart of the step is the next one.
    public var attempt: Int
    /// The conversation so far; the agent's own `system` stands before it. Most often one user message: ``prompt``.
    public var messages: [AgentMessage]
    /// What the model may call. Agents without tools (``AgentDefinition/Kind/takesTools``) refuse a request with any.
    public var tools: [ToolDefinition] = []
    /// JSON Schema that the text is to satisfy. The model is told; whether it obeyed is for the caller to check. Kinds
    /// that can't be told (`dify`, `http`, `command`, `echo`) do not know of it.
    public var responseSchema: JSONValue?
    /// In place of the agent's own.
    public var temperature: Double?
    public var tokensMax: Int?
    /// What the agent's own templates say, rendered (`body` of kind http, `inputs` of kind dify); nil: it has none.
    public var body: JSONValue?
    /// The event as JSON; what a command reads on its standard input.
    public var input: RawJSON
    /// For commands: the absolute path of the program, as the server's config resolved it.
    public var program: String?
    /// For commands: the rendered arguments without the program's own name.
    public var arguments: [String]
    /// How long the step may take; nil leaves it to the agent's own timeouts.
    public var timeout: Duration?
    /// What the program is to send to the hub with (``Hops``).
    public var hops = 0

    public init(
        run: RunID,
        step: String,
        attempt: Int = 1,
        prompt: String = "",
        input: RawJSON = .emptyObject,
        program: String? = nil,
        arguments: [String] = [],
        timeout: Duration? = nil
    ) {
        self.run = run
        self.step = step
        self.attempt = attempt
        messages = [.user(prompt)]
        self.input = input
        self.program = program
        self.arguments = arguments
        self.timeout = timeout
    }

    /// The request as one text, for agents that know no conversation: the rendered prompt, or all messages with an
    /// empty line between them. For an `echo` agent with a text of its own, that text, rendered. Setting it begins a
    /// new conversation.
    public var prompt: String {
        get {
            messages.map { message in
                switch message {
                case .system(let text), .user(let text), .assistant(let text, _), .toolResult(_, let text, _): text
                }
            }.joined(separator: "\n\n")
        }
        set { messages = [.user(newValue)] }
    }

    /// How much the model is given to read, without the agent's own `system`.
    public var messageBytes: Int { messages.reduce(0) { $0 + $1.bytes } }

    /// For agents that can't be given tools.
    func refuseTools(kind: String) throws(BelfryError) {
        guard !tools.isEmpty else { return }
        throw BelfryError(
            .invalidDocument, "an agent of kind \(kind) can't be given tools; take one of kind openai or anthropic")
    }
}

/// What a provider says the work has cost. Never negative, never beyond ``Limits/ruleTokensPerDayMax``: what is, is
/// not taken.
public struct Usage: Sendable, Hashable {
    /// All that was read, also what came from a cache.
    public var inputTokens: Int?
    public var outputTokens: Int?

    public init(inputTokens: Int? = nil, outputTokens: Int? = nil) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}

/// What comes out of an agent while it works.
public enum AgentOutput: Sendable, Hashable {
    /// A command runs, in a process group of its own: the first output of every command, to be stored for recovery.
    case started(processGroup: Int32)
    /// The next piece of the text.
    case text(String)
    /// The model begins to call a tool. Calls may go on side by side; their ids tell them apart.
    case toolCallStarted(id: String, name: String)
    /// The next piece of the arguments of a call: JSON, when all of it is there.
    case toolCallArguments(id: String, delta: String)
    /// A call is complete. Without it, it must not be done.
    case toolCallEnded(id: String)
    /// The last one counts: it is cumulative.
    case usage(Usage)
    /// Why the model stopped, if it said so: the last output.
    case finished(FinishReason)
    /// A line a command wrote to its standard error, cut to ``Limits/logLineBytesMax``.
    case log(String)
}

/// A configured way to get text out of something.
public protocol Agent: Sendable {
    /// Works until the text is complete; calls `emit` with each piece, one at a time, on the caller's isolation.
    ///
    /// If `emit` throws, the work is torn down and the error thrown on (a ``BelfryError`` as it is). When the task is
    /// cancelled it throws `.cancelled`, and only after the socket is closed or the process group is gone.
    func run(_ request: AgentRequest, emit: (AgentOutput) async throws -> Void) async throws(BelfryError)
}

extension BelfryError {
    static let cancelled = BelfryError(.cancelled, "cancelled")

    /// What `emit` threw, as an agent throws it on.
    init(fromEmit error: any Error) {
        switch error {
        case let error as BelfryError: self = error
        case is CancellationError: self = .cancelled
        default: self.init(.internal, "the agent's output could not be taken: \(error)")
        }
    }
}
