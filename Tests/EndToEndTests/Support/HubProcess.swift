import BelfryCore
import Foundation
import Glibc
import Synchronization
import Testing

/// A real `belfry serve` on a free port with a data folder of its own.
final class HubProcess: Sendable {
    let folder: TemporaryFolder
    private let arguments: [String]
    private let environment: [String: String]
    private let state: Mutex<State>

    private struct State {
        var process: ChildProcess
        var port: Int
        /// `http` or `https`
        var scheme: String
    }

    /// Starts a hub and waits until it is ready.
    /// - Parameters:
    ///   - rules: folder for `--rules`; nil starts an empty hub.
    ///   - arguments: more flags of `belfry serve`.
    static func start(
        rules: String? = nil, arguments: [String] = [], environment: [String: String] = [:],
        folder: TemporaryFolder? = nil
    ) async throws -> HubProcess {
        let folder = try folder ?? TemporaryFolder()
        let all = (rules.map { ["--rules", $0] } ?? []) + arguments
        let started = try await launch(folder, all, environment)
        return HubProcess(folder: folder, arguments: all, environment: environment, state: started)
    }

    private init(folder: TemporaryFolder, arguments: [String], environment: [String: String], state: State) {
        self.folder = folder
        self.arguments = arguments
        self.environment = environment
        self.state = Mutex(state)
    }

    var port: Int { state.withLock { $0.port } }
    var url: String { "\(state.withLock { $0.scheme })://127.0.0.1:\(port)" }
    var process: ChildProcess { state.withLock { $0.process } }
    var dataFolder: String { Self.dataFolder(folder) }
    /// What the hub has written to stderr, over all its starts.
    var log: String { process.errors }
    var adminToken: String {
        get throws {
            let text = try String(contentsOfFile: "\(dataFolder)/admin.token", encoding: .utf8)
            return text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    /// A client with the admin's token.
    var client: RawClient {
        get throws { RawClient(port: port, token: try adminToken) }
    }

    /// `kill -9`, and its end.
    func kill9() async throws {
        process.send(SIGKILL)
        _ = try await process.end()
    }

    /// SIGTERM; returns the exit code after the drain.
    func terminate() async throws -> Int32 {
        process.send(SIGTERM)
        return try await process.end()
    }

    /// Starts again on the same folder, after ``kill9()`` or ``terminate()``; the port is another one.
    /// - Parameter leavingOut: arguments of the first start that this one goes without.
    func restart(leavingOut: [String] = []) async throws {
        let started = try await Self.launch(folder, arguments.filter { !leavingOut.contains($0) }, environment)
        state.withLock { $0 = started }
    }

    /// Runs a client command against this hub.
    func belfry(_ arguments: String..., environment: [String: String] = [:]) async throws -> CommandResult {
        try await belfry(arguments, environment: environment)
    }

    func belfry(_ arguments: [String], environment: [String: String] = [:]) async throws -> CommandResult {
        let own = ["BELFRY_URL": url, "BELFRY_DATA": dataFolder]
        return try await CommandResult.of(arguments, environment: own.merging(environment) { $1 }, in: folder)
    }

    private static func dataFolder(_ folder: TemporaryFolder) -> String { "\(folder.path)/data" }

    private static func launch(
        _ folder: TemporaryFolder, _ arguments: [String], _ environment: [String: String]
    ) async throws -> State {
        let process = try ChildProcess(
            try BuildProducts.belfry(), ["serve", "--data", dataFolder(folder), "--port", "0"] + arguments,
            environment: environment, outputPath: "\(folder.path)/\(UUID().uuidString).out",
            errorPath: "\(folder.path)/hub.log"
        )
        let (scheme, port) = try await eventually(within: .seconds(30), "the hub to listen") { () -> (String, Int)? in
            guard process.isRunning else { throw Timeout(what: "the hub to start:\n\(process.errors)") }
            let line = process.output.firstMatch(of: #/belfry is listening on (https?)://.*:(\d+)\n/#)
            return line.flatMap { line in Int(line.2).map { (String(line.1), $0) } }
        }
        // The client here speaks no TLS.
        guard scheme == "http" else { return State(process: process, port: port, scheme: scheme) }
        let client = RawClient(port: port, token: nil)
        _ = try await eventually(within: .seconds(30), "the hub to be ready") {
            try await client.request("GET", "/readyz").status == 200 ? true : nil
        }
        return State(process: process, port: port, scheme: scheme)
    }
}

/// Starts a hub, gives it to `body`, and ends it. If `body` throws, the hub's log is shown.
func withHub(
    rules: String? = nil, arguments: [String] = [], environment: [String: String] = [:],
    _ body: (HubProcess) async throws -> Void
) async throws {
    try await HubProcess.start(rules: rules, arguments: arguments, environment: environment).use(body)
}

extension HubProcess {
    /// Gives the hub to `body` and ends it. If `body` throws, the hub's log is shown.
    func use(_ body: (HubProcess) async throws -> Void) async throws {
        do {
            try await body(self)
        } catch {
            Issue.record("the hub's log:\n\(log.suffix(8000))")
            throw error
        }
        if process.isRunning { try await kill9() }
    }
}
