import BelfryCore

/// An agent that is a program: the event on its standard input, its standard output is the text.
struct CommandAgent: Agent {
    let timeout: Duration
    let outputBytesMax: Int
    let commands: CommandRunner

    func run(_ request: AgentRequest, emit: (AgentOutput) async throws -> Void) async throws(BelfryError) {
        try request.refuseTools(kind: "command")
        guard let program = request.program else {
            throw BelfryError(.commandNotAllowed, "the command is not in the server's commands: table")
        }
        var command = CommandRequest(
            program: program,
            arguments: request.arguments,
            input: request.input.bytes,
            run: request.run,
            step: request.step,
            timeout: min(timeout, request.timeout ?? timeout),
            outputBytesMax: outputBytesMax
        )
        command.hops = request.hops
        try await commands.run(command, emit: emit)
    }
}
