import Foundation
import Glibc
import Synchronization

/// A child process whose output goes to files.
final class ChildProcess: Sendable {
    let id: pid_t
    let outputPath: String
    let errorPath: String
    private let status = Mutex<Int32?>(nil)

    /// Starts a program. Its output is appended to the two files.
    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], outputPath: String,
        errorPath: String
    ) throws {
        self.outputPath = outputPath
        self.errorPath = errorPath
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The threads of a test block signals, and a shell may have had them ignored: the child gets them as usual.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var usual = sigset_t()
        sigemptyset(&usual)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&usual, signal) }
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let flags = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outputPath, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errorPath, flags, 0o600)
        let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("BELFRY_") }
        let variables = inherited.merging(environment) { $1 }.map { "\($0.key)=\($0.value)" }
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        var envp = variables.map { strdup($0) } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var child: pid_t = 0
        let result = posix_spawn(&child, program, &actions, &attributes, &argv, &envp)
        guard result == 0 else { throw Timeout(what: "\(program) to start: \(String(cString: strerror(result)))") }
        id = child
    }

    deinit {
        if status.withLock({ $0 }) == nil {
            kill(id, SIGKILL)
            waitpid(id, nil, 0)
        }
    }

    var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? "" }

    /// Whether it has not ended yet.
    var isRunning: Bool { reap() == nil }

    func send(_ signal: Int32) { kill(id, signal) }

    /// Waits for its end: the exit code, or minus the number of the signal that ended it.
    func end(within deadline: Duration = .seconds(40)) async throws -> Int32 {
        try await eventually(within: deadline, "the end of process \(id)") { reap() }
    }

    private func reap() -> Int32? {
        status.withLock { status in
            var raw: Int32 = 0
            if status == nil, waitpid(id, &raw, WNOHANG) == id {
                let signal = raw & 0x7F
                status = signal == 0 ? (raw >> 8) & 0xFF : -signal
            }
            return status
        }
    }
}
