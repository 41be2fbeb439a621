public import BelfryCore
import Glibc
import Subprocess
import SystemPackage

/// Runs programs for steps, each in a session and process group of its own, and leaves nothing of them behind: the
/// group is killed on every way out, also after a normal end, with everything that carries the step's markers (see
/// ``OrphanReaper`` for what could escape), and the way out waits until all of it is gone.
///
/// The last look costs one or two scans of /proc (``ProcessTable``), some milliseconds a command.
public struct CommandRunner: Sendable {
    private let hub: String
    private let grace: Duration
    private let environment: [String: String]

    /// - Parameters:
    ///   - hub: names the data folder; `BELFRY_HUB` in the environment of every child.
    ///   - grace: between SIGTERM and SIGKILL.
    ///   - environment: all that a program gets besides `BELFRY_HUB`, `BELFRY_RUN`, `BELFRY_STEP` and `BELFRY_HOPS`.
    public init(
        hub: String,
        grace: Duration = Limits.terminationGrace,
        environment: [String: String] = CommandRunner.cleanEnvironment()
    ) {
        self.hub = hub
        self.grace = grace
        self.environment = environment
        Self.ignoresBrokenPipes
    }

    /// `PATH`, `HOME`, `LANG`, `TZ` as the hub has them, and nothing else: its environment holds secrets.
    public static func cleanEnvironment() -> [String: String] {
        var clean = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/", "LANG": "C.UTF-8",
        ]
        for name in ["PATH", "HOME", "LANG", "TZ"] {
            if let value = getenv(name) { clean[name] = String(cString: value) }
        }
        return clean
    }

    /// A program that does not read its input must not end the hub. Children get the default back (swift-subprocess).
    private static let ignoresBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    /// Runs the program to its end. Standard output is text, a line of standard error a log; the rest is as in
    /// ``Agent/run(_:emit:)``.
    /// - Throws: `command_failed` for another exit code than 0 (with the last line of standard error), a signal, or a
    ///   program that cannot be started; `agent_timeout`, `output_too_large`, `cancelled`.
    public func run(
        _ request: CommandRequest,
        emit: (AgentOutput) async throws -> Void
    ) async throws(BelfryError) {
        if Task.isCancelled { throw .cancelled }
        // C would silently end the argument there.
        guard !([request.program] + request.arguments).contains(where: { $0.utf8.contains(0) }) else {
            throw BelfryError(.commandFailed, "an argument of \(request.program) holds a NUL character")
        }
        let session = CommandSession(request: request, grace: grace)
        let failure: BelfryError?
        do {
            let result = try await Subprocess.run(
                .path(FilePath(request.program)),
                arguments: Arguments(request.arguments),
                environment: .custom(variables(request)),
                platformOptions: Self.platformOptions(grace: grace),
                input: .inputWriter,
                output: .sequence,
                error: .sequence
            ) { execution in
                await session.drive(execution, emit: emit)
            }
            failure = result.closureResult ?? Self.failure(result.terminationStatus, lastLog: session.lastLog)
        } catch {
            failure = Task.isCancelled ? .cancelled : Self.startFailure(request, error)
        }
        let survivors = await confirmGone(session.group, marker: request.marker)
        if !survivors.isEmpty {
            throw BelfryError(
                .processesLeft,
                "\(request.program): \(survivors.count) processes could not be ended (first: \(survivors[0])); "
                    + "end them by hand, or let belfry run as a user that may"
            )
        }
        if Task.isCancelled { throw .cancelled }
        if let failure { throw failure }
    }

    private func variables(_ request: CommandRequest) -> [Environment.Key: String] {
        let markers = [
            "BELFRY_HUB": hub, "BELFRY_RUN": "\(request.run)", "BELFRY_STEP": request.marker,
            Hops.variable: "\(request.hops)",
        ]
        let all = environment.merging(markers) { $1 }
        return Dictionary(uniqueKeysWithValues: all.map { (Environment.Key(stringLiteral: $0), $1) })
    }

    private static func platformOptions(grace: Duration) -> PlatformOptions {
        var options = PlatformOptions()
        options.createSession = true
        // On cancellation the session itself ends the group. The library's own sequence would send SIGKILL at once, and
        // to the leader alone: signal 0 makes it wait, and take the group should the session have failed to.
        options.teardownSequence = [
            .send(signal: Signal(rawValue: 0), toProcessGroup: true, allowedDurationToNextStep: grace + .seconds(2))
        ]
        return options
    }

    /// Kills what is left of the group, the session and the step, and waits until it is gone.
    private func confirmGone(_ group: ProcessGroup?, marker: String) async -> [Int32] {
        let marker = ProcessMarker(hub: hub, steps: [marker])
        group?.send(SIGKILL)
        let outcome = await OrphanReaper.kill(deadline: Limits.killConfirmTimeout) { entry in
            entry.processGroup == group?.leader || entry.session == group?.leader || marker.isCarried(by: entry.process)
        }
        return outcome.survivors
    }

    private static func failure(_ status: TerminationStatus, lastLog: String?) -> BelfryError? {
        let words = lastLog.map { ": \(ProviderMessage.cut($0))" } ?? ""
        switch status {
        case .exited(0): return nil
        case .exited(let code): return BelfryError(.commandFailed, "the command ended with exit code \(code)\(words)")
        case .signaled(let signal):
            return BelfryError(.commandFailed, "the command was ended by \(SignalName.of(signal))\(words)")
        }
    }

    private static func startFailure(_ request: CommandRequest, _ error: any Error) -> BelfryError {
        BelfryError(
            .commandFailed,
            "\(request.program) cannot be started: check that it is there and executable"
                + " (\(ProviderMessage.cut("\(error)")))"
        )
    }
}

/// Names of the signals a command usually dies of.
enum SignalName {
    static func of(_ signal: Int32) -> String {
        let names: [Int32: String] = [
            SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGABRT: "SIGABRT",
            SIGBUS: "SIGBUS",
            SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV", SIGPIPE: "SIGPIPE", SIGTERM: "SIGTERM",
            SIGALRM: "SIGALRM", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ", SIGSYS: "SIGSYS", SIGUSR1: "SIGUSR1",
            SIGUSR2: "SIGUSR2", SIGTRAP: "SIGTRAP",
        ]
        return names[signal] ?? "signal \(signal)"
    }
}
