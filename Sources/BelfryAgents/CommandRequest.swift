public import BelfryCore

/// A program to run for a step.
public struct CommandRequest: Sendable {
    /// Absolute; the server's config says which there are.
    public var program: String
    /// Without the program's own name.
    public var arguments: [String]
    /// What it reads on its standard input.
    public var input: [UInt8]
    public var run: RunID
    public var step: String
    /// After it the process group is ended.
    public var timeout: Duration
    /// A longer standard output ends the process group.
    public var outputBytesMax: Int
    /// What the program is to send to the hub with (``Hops``).
    public var hops = 0

    public init(
        program: String,
        arguments: [String] = [],
        input: [UInt8] = [],
        run: RunID,
        step: String,
        timeout: Duration = Limits.stepTimeoutDefault,
        outputBytesMax: Int = Limits.stepOutputBytesMax
    ) {
        self.program = program
        self.arguments = arguments
        self.input = input
        self.run = run
        self.step = step
        self.timeout = timeout
        self.outputBytesMax = outputBytesMax
    }

    /// What the children carry in `BELFRY_STEP`, and what ``OrphanReaper`` knows them by.
    public var marker: String { "\(run)/\(step)" }
}
