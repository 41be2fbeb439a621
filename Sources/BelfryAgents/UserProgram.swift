import BelfryCore
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// A program of the person who runs this process: it has their environment and their terminal, and may leave something
/// running. Started as it is named, never through a shell. (``CommandRunner`` is for programs of runs, which get
/// neither and leave nothing.)
public struct UserProgram: Sendable {
    public let program: String
    private let arguments: [String]
    private let timeout: Duration

    /// How it ended.
    public enum Ending: Sendable, Equatable {
        case exited(Int32)
        case signaled(Int32)
        /// Its time was up, and it was ended.
        case late
        case notStarted(String)
    }

    /// - Parameters:
    ///   - program: a path, or a name that is looked for in `PATH`.
    ///   - timeout: how long it may work.
    public init(_ program: String, arguments: [String], timeout: Duration) {
        (self.program, self.arguments, self.timeout) = (program, arguments, timeout)
    }

    private var executable: Executable { program.contains("/") ? .path(FilePath(program)) : .name(program) }

    /// Whether there is such a program, and it may be started.
    public func isStartable() async -> Bool {
        guard let path = try? await executable.resolveExecutablePath(in: .inherit) else { return false }
        return access(path.string, X_OK) == 0
    }

    /// Runs it to its end.
    ///
    /// On cancellation and after the timeout its process group gets SIGTERM, and ``Limits/terminationGrace`` later
    /// SIGKILL.
    /// - Parameters:
    ///   - input: its standard input; it need not read it.
    ///   - variables: added to the environment; nil takes one away.
    public func run(input: [UInt8], variables: [String: String?]) async -> Ending {
        await withTaskGroup(of: Ending.self) { tasks in
            tasks.addTask { await start(input, variables) }
            tasks.addTask {
                try? await Task.sleep(for: timeout)
                return .late
            }
            let first = await tasks.next() ?? .late
            tasks.cancelAll()
            return first
        }
    }

    private func start(_ input: [UInt8], _ variables: [String: String?]) async -> Ending {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: Limits.terminationGrace)
        ]
        let group = Mutex<pid_t?>(nil)
        do {
            let result = try await Subprocess.run(
                executable,
                arguments: Arguments(arguments),
                environment: .inherit.updating(
                    Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0), $1) })),
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
            case .exited(let code): .exited(code)
            case .signaled(let signal): .signaled(signal)
            }
        } catch {
            return .notStarted("\(error)")
        }
    }
}
