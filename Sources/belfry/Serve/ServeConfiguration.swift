import BelfryCore
import BelfryEngine

/// Everything `belfry serve` can be told. `init()` holds the defaults; ``ServeConfiguration/load(flags:environment:)``
/// lays the file, the environment and the flags over them, in this order.
///
/// What rules may do (`commands`, `secrets`, `outbound`, `targets`) can be widened here and nowhere else: neither the API nor a
/// rule can.
struct ServeConfiguration: Sendable, Equatable {
    /// Folder of the database, the keys and the admin token.
    var data = "data"
    /// Folder of documents that are applied at each start and on SIGHUP.
    var rules: String?
    /// Folder of documents that are put into an empty store once, as if the API had created them.
    var seed: String?
    var host = "127.0.0.1"
    /// 0 takes a free one.
    var port = 8420
    var tls = TLSFiles()
    /// How others reach the hub, for links and the URLs of sources; nil: `http://host:port`, or `https:` with TLS.
    var publicURL: String?
    var cors = CrossOrigin()
    var logLevel = "info"
    /// Programs that `command` agents and steps may run: name → absolute path.
    var commands: [String: String] = [:]
    var secrets = Secrets()
    var outbound = Outbound()
    var approvals = Approvals()
    /// Where `send` steps may post to, by name.
    var targets: [String: SendTarget] = [:]
    var limits = Bounds()

    /// Opens a WebSocket for tests of the protocol. A hidden flag alone says so, never a file or a variable.
    var hasTestEcho = false
    /// Has the process die at a transition of a run (``FaultPoint``). A hidden flag alone says so.
    var crashPoint: Int?

    /// What `env:` and `file:` references of documents may name.
    struct Secrets: Sendable, Equatable {
        /// Names; a `*` at the end stands for any rest.
        var env = [
            "GITHUB_WEBHOOK_SECRET", "SLACK_SIGNING_SECRET", "STRIPE_WEBHOOK_SECRET", "OPENAI_API_KEY",
            "ANTHROPIC_API_KEY", "DIFY_API_KEY",
        ]
        /// Files, and folders with all below them; relative ones are within the data folder.
        var files = ["secrets"]
    }

    struct Outbound: Sendable, Equatable {
        /// Whether agents may reach private and loopback addresses: a model on this machine or network.
        var allowPrivate = true
    }

    struct Approvals: Sendable, Equatable {
        /// Whether `otherwise: approve` of a rule counts: a question that nobody decides is then approved.
        var allowOtherwiseApprove = false
        /// Users of Slack (`U012AB3CD`) whose buttons decide, and as whom.
        var slackUsers: [String: String] = [:]
    }

    struct CrossOrigin: Sendable, Equatable {
        /// Pages of other origins that a signed-in browser may bring along: `https://ops.example`.
        var origins: [String] = []
    }

    /// PEM files. With both the hub speaks HTTPS; with neither HTTP.
    struct TLSFiles: Sendable, Equatable {
        /// The server's own certificate, then those of its issuers.
        var cert: String?
        var key: String?
    }

    struct Bounds: Sendable, Equatable {
        /// Runs at work at the same time, of all rules.
        var runsRunning = Limits.runsRunningMax
        var connections = Limits.connectionsMax
    }

    /// `secrets.files` from the root.
    var secretFiles: [String] {
        let folder = LocalFile.absolute(data)
        return secrets.files.map { $0.hasPrefix("/") ? $0 : "\(folder)/\($0)" }
    }

    /// ``targets``, with relative files within the data folder.
    var sendTargets: [String: SendTarget] {
        let folder = LocalFile.absolute(data)
        return targets.mapValues { $0.withFiles(in: folder) }
    }

    /// Every key of the file but `targets`, with dots; `commands` and `approvals.slack_users` hold names of the operator's own.
    static let keys = [
        "data", "rules", "seed", "host", "port", "tls.cert", "tls.key", "public_url", "cors.origins", "log_level",
        "commands", "secrets.env",
        "secrets.files", "outbound.allow_private",
        "approvals.allow_otherwise_approve", "approvals.slack_users", "limits.runs_running", "limits.connections",
    ]
}
