public import BelfryCore

/// What one step asks of an agent, with everything rendered.
public struct AgentRequest: Sendable {
    public var run: RunID
    public var step: String
    /// From 1; a restart of the step is the next one.
    public var attempt: Int
    /// The rendered prompt. For an `echo` agent with a text of its own, that text, rendered.
    public var prompt: String
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
        self.prompt = prompt
        self.input = input
        self.program = program
        self.arguments = arguments
        self.timeout = timeout
    }
}

/// What a provider says the work has cost.
public struct Usage: Sendable, Hashable {
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
    /// The last one counts: it is cumulative.
    case usage(Usage)
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
