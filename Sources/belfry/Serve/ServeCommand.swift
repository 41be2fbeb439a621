import ArgumentParser
import Foundation
import NIOCore

/// `belfry serve`: the hub.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the hub.",
        discussion: """
            Each flag is also a variable (BELFRY_DATA, BELFRY_RULES, …) and a key of the file that --config names; \
            flags win over variables, variables over the file. ops/belfry.yaml lists every key with its default.

            The first start writes DIR/admin.token, which the client commands read.

            EXAMPLE
              belfry serve --data ./data --rules ./Rules --port 8420
            """
    )

    @Option(help: ArgumentHelp("Folder of the database and keys (default ./data).", valueName: "dir"))
    var data: String?

    @Option(help: ArgumentHelp("Folder of documents to apply at each start and on SIGHUP.", valueName: "dir"))
    var rules: String?

    @Option(help: ArgumentHelp("Folder of documents to put into an empty store once.", valueName: "dir"))
    var seed: String?

    @Option(help: "Address to listen on (default 127.0.0.1).")
    var host: String?

    @Option(help: "Port to listen on (default 8420; 0 takes a free one).")
    var port: Int?

    @Option(
        help: ArgumentHelp(
            "Speak HTTPS with this certificate (PEM: the hub's own, then its issuers'); read anew on SIGHUP.",
            valueName: "file"))
    var tlsCert: String?

    @Option(help: ArgumentHelp("The certificate's key (PEM, not encrypted).", valueName: "file"))
    var tlsKey: String?

    @Option(help: ArgumentHelp("How others reach the hub, for links.", valueName: "url"))
    var publicURL: String?

    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
    var logLevel: String?

    @Option(help: ArgumentHelp("Configuration file (YAML).", valueName: "file"))
    var config: String?

    @Flag(help: "Print the configuration that would be used, and end.")
    var printConfig = false

    @Flag(name: .customLong("test-echo"), help: .hidden)
    var hasTestEcho = false

    @Option(name: .customLong("test-crash"), help: .hidden)
    var crashPoint: Int?

    /// The processors that this process may use, by its affinity (proc(5), `Cpus_allowed`: words of hex); NIO's own
    /// count is the machine's.
    private static var usableProcessors: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let mask = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }?.dropFirst(13) ?? ""
        let count = mask.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return count > 0 ? count : System.coreCount
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        ServeConfiguration.unknownVariables(environment).forEach(Terminal.complain)
        var configuration = try await ServeConfiguration.load(
            flags: .init(
                data: data, rules: rules, seed: seed, host: host, logLevel: logLevel, publicURL: publicURL,
                tlsCert: tlsCert, tlsKey: tlsKey, port: port, config: config
            ),
            environment: environment
        )
        configuration.hasTestEcho = hasTestEcho
        configuration.crashPoint = crashPoint
        if printConfig {
            Terminal.write(configuration.text)
        } else {
            NIOSingletons.groupLoopCountSuggestion = Self.usableProcessors
            try await Composition.serve(configuration)
        }
    }
}
