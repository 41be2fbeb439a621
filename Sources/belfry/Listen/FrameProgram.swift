import BelfryCore
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// A program that is started once for each frame: the frame as JSON on its standard input, its main members in the
/// environment. It is started as it is named, never through a shell.
///
/// It is the user's own, with their terminal and environment, and may leave something running. (`CommandRunner` is for
/// programs of runs, which get neither and leave nothing.)
struct FrameProgram: Sendable {
    let program: String
    let arguments: [String]
    let timeout: Duration
    let hub: String

    private var executable: Executable { program.contains("/") ? .path(FilePath(program)) : .name(program) }

    /// Throws if there is no such program: with a mistake in its name every frame would be passed over.
    func check() async throws {
        guard let path = try? await executable.resolveExecutablePath(in: .inherit), access(path.string, X_OK) == 0
        else {
            throw Failure(.usage, "--exec: \(program) is no program that can be started here; name its path")
        }
    }

    /// Runs it to its end. What went wrong, as a line for the person; nil if all went well.
    ///
    /// On cancellation and after the deadline its process group gets SIGTERM, and two seconds later SIGKILL.
    func run(_ frame: JSONValue) async -> String? {
        let name = arguments.isEmpty ? program : "\(program) …"
        return await withTaskGroup(of: String?.self) { tasks in
            tasks.addTask { await start(frame).map { "\(name): \($0)" } }
            tasks.addTask {
                try? await Task.sleep(for: timeout)
                return "\(name) did not end within \(timeout.components.seconds) s and was ended"
            }
            let first = await tasks.next() ?? nil
            tasks.cancelAll()
            return first
        }
    }

    private func start(_ frame: JSONValue) async -> String? {
        let variables = FrameVariables.of(frame, hub: hub)
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: Limits.terminationGrace)
        ]
        let group = Mutex<pid_t?>(nil)
        let input = Array((frame.text + "\n").utf8)
        do {
            let result = try await Subprocess.run(
                executable,
                arguments: Arguments(arguments),
                environment: .inherit.updating(
                    Dictionary(
                        uniqueKeysWithValues: variables.map { (Subprocess.Environment.Key(stringLiteral: $0), $1) })),
                platformOptions: options,
                input: .inputWriter,
                output: .fileDescriptor(.standardOutput, closeAfterSpawningProcess: false),
                error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
            ) { execution in
                group.withLock { $0 = execution.processIdentifier.value }
                // It need not read its input: a closed pipe is no error.
                _ = try? await execution.standardInputWriter.write(input)
                try? await execution.standardInputWriter.finish()
            }
            // The library ends the leader alone for certain.
            if Task.isCancelled, let group = group.withLock({ $0 }) { kill(-group, SIGKILL) }
            return switch result.terminationStatus {
            case .exited(0): nil
            case .exited(let code): "ended with exit code \(code)"
            case .signaled(let signal): "ended by signal \(signal)"
            }
        } catch {
            return "cannot be started: check that it is there and executable (\(error))"
        }
    }
}
