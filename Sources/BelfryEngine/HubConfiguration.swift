public import BelfryCore
import BelfryCrypto
import Glibc

/// What the server's own configuration says to the engine. Nothing here can be changed by a rule or over the API.
public struct HubConfiguration: Sendable {
    /// The data folder.
    public var folder: String
    /// Programs that rules may run: name → absolute path.
    public var commands: [String: String] = [:]
    public var secrets: SecretResolver
    /// Where `send` steps may post to, by name.
    public var targets: [String: SendTarget] = [:]
    /// Whether agents' base URLs may lead to private addresses (a model on the same machine does).
    public var agentsMayReachPrivateAddresses = true
    /// Whether a question that nobody decides may count as approved where its rule says so (`otherwise: approve`).
    public var allowsOtherwiseApprove = false
    /// How people reach the hub, for links in messages: `https://hub.example`.
    public var publicURL = "http://127.0.0.1:8420"
    /// Whether its operator has said so; else ``publicURL`` is where it listens.
    public var isPublic = false
    /// Which principal a user of Slack is: `U012AB3CD` → `anna`. Nobody else decides with a button there.
    public var slackUsers: [String: String] = [:]
    /// Where what became of a button may be told; another one is for tests.
    public var slackOrigin = SlackOrigin()
    public var runsRunningMax = Limits.runsRunningMax
    public var clock = WallClock.system
    /// For tests of crashes.
    public var faultPoint: FaultPoint?

    /// Marks the processes of this hub's steps, so that its next start finds what a crash left behind.
    var hubID: String { Hex.encode(Digest.sha256(Array(folder.utf8)).prefix(8)) }

    public init(folder: String, secrets: SecretResolver) {
        self.folder = folder
        self.secrets = secrets
    }
}

extension HubConfiguration {
    /// The program behind the name of a command: only what the server's own configuration names can be run.
    func program(named name: String) throws(BelfryError) -> String {
        guard let program = commands[name] else {
            throw BelfryError(
                .commandNotAllowed,
                "the command \(name) is not in the server's `commands:` table; add `commands: {\(name): /absolute/path}` to its configuration"
            )
        }
        return program
    }

    /// What keeps the command's program from being run, as it looks now; nil: nothing, or there is no such command.
    public func fault(ofCommand name: String) -> String? {
        guard let program = commands[name], access(program, X_OK) != 0 else { return nil }
        return "\(program), the program of the command \(name), is not there or may not be run"
    }
}
