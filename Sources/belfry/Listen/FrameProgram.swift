import BelfryAgents
import BelfryCore

/// A program that is started once for each frame: the frame as JSON on its standard input, its main members in the
/// environment.
struct FrameProgram: Sendable {
    let program: UserProgram
    /// How it is called in complaints.
    private let name: String
    private let timeout: Duration
    private let hub: String

    init(_ program: String, arguments: [String], timeout: Duration, hub: String) {
        self.program = UserProgram(program, arguments: arguments, timeout: timeout)
        name = arguments.isEmpty ? program : "\(program) …"
        (self.timeout, self.hub) = (timeout, hub)
    }

    /// Throws if there is no such program: with a mistake in its name every frame would be passed over.
    func check() async throws {
        guard await program.isStartable() else {
            throw Failure(.usage, "--exec: \(program.program) is no program that can be started here; name its path")
        }
    }

    /// Runs it to its end. What went wrong, as a line for the person; nil if all went well.
    func run(_ frame: JSONValue) async -> String? {
        let input = Array((frame.text + "\n").utf8)
        switch await program.run(input: input, variables: FrameVariables.of(frame, hub: hub)) {
        case .exited(0): return nil
        case .exited(let code): return "\(name): ended with exit code \(code)"
        case .signaled(let signal): return "\(name): ended by signal \(signal)"
        case .late: return "\(name) did not end within \(timeout.components.seconds) s and was ended"
        case .notStarted(let reason):
            return "\(name): cannot be started: check that it is there and executable (\(reason))"
        }
    }
}
