import BelfryCore
import Foundation
import Testing

@testable import BelfryEngine
@testable import belfry

struct ServeConfigurationTests {
    private static let sample = BuildProducts.root + "/ops/belfry.yaml"

    private func load(
        file: String? = nil, environment: [String: String] = [:], port: Int? = nil
    ) async throws -> ServeConfiguration {
        let folder = try TemporaryFolder()
        var flags = ServeConfiguration.Flags()
        flags.config = try file.map { try folder.write($0, to: "belfry.yaml") }
        flags.port = port
        return try await ServeConfiguration.load(flags: flags, environment: environment)
    }

    private func refusal(_ file: String? = nil, environment: [String: String] = [:]) async -> String {
        do {
            return try await "accepted: \(load(file: file, environment: environment))"
        } catch let failure as Failure {
            return failure.message
        } catch {
            return "\(error)"
        }
    }

    @Test("the sample file holds exactly the defaults")
    func sampleIsDefaults() async throws {
        let text = try String(contentsOfFile: Self.sample, encoding: .utf8)
        #expect(try await load(file: text) == ServeConfiguration())
    }

    @Test("the sample file names every key")
    func sampleIsComplete() throws {
        let text = try String(contentsOfFile: Self.sample, encoding: .utf8)
        for key in ServeConfiguration.keys {
            let name = key.split(separator: ".").last ?? ""
            #expect(text.contains("\(name):"), "\(key)")
        }
    }

    @Test("a flag wins over a variable, a variable over the file, the file over the default")
    func layers() async throws {
        let file = "port: 1001\nhost: ::1\nlog_level: debug\n"
        let variables = ["BELFRY_PORT": "1002", "BELFRY_HOST": "0.0.0.0"]
        let configuration = try await load(file: file, environment: variables, port: 1003)
        #expect(configuration.port == 1003)
        #expect(configuration.host == "0.0.0.0")
        #expect(configuration.logLevel == "debug")
        #expect(configuration.limits.connections == ServeConfiguration().limits.connections)
    }

    @Test("nested keys and lists can be variables")
    func nestedVariables() async throws {
        let configuration = try await load(environment: [
            "BELFRY_SECRETS_ENV": "A,B", "BELFRY_OUTBOUND_ALLOW_PRIVATE": "false", "BELFRY_LIMITS_RUNS_RUNNING": "7",
        ])
        #expect(configuration.secrets.env == ["A", "B"])
        #expect(!configuration.outbound.allowPrivate)
        #expect(configuration.limits.runsRunning == 7)
    }

    @Test("commands are names of the operator's own")
    func commands() async throws {
        let configuration = try await load(file: "commands:\n  shutdown-pump: /usr/local/bin/shutdown-pump\n")
        #expect(configuration.commands == ["shutdown-pump": "/usr/local/bin/shutdown-pump"])
    }

    @Test("an unknown key is refused with its line and the nearest known one")
    func unknownKey() async {
        let message = await refusal("host: 127.0.0.1\nlimits:\n  conections: 5\n")
        #expect(message.contains("belfry.yaml:3: unknown key limits.conections; did you mean limits.connections?"))
    }

    @Test(
        "a value of the wrong type or out of range is refused by name",
        arguments: [
            ("port: abc", "port: must be a whole number"), ("port: 70000", "port: 70000 is not between"),
            ("outbound:\n  allow_private: perhaps", "outbound.allow_private: must be true or false"),
            ("secrets:\n  env: ONE", "secrets.env: must be a list"), ("secrets:\n  env: ['*']", "a lone *"),
            ("commands:\n  x: relative/path", "commands.x: relative/path is not an absolute path"),
            ("log_level: loud", "log_level: loud is none of"),
            ("cors:\n  origins: [ops.example]", "cors.origins: ops.example is no origin"),
            ("cors:\n  origins: ['*']", "cors.origins: * is no origin"),
            ("limits:\n  connections: 0", "limits.connections: must be"),
            ("limits: 5", "unknown key limits"), ("- a", "must hold"),
        ]
    )
    func wrongValue(file: String, complaint: String) async {
        let message = await refusal(file)
        #expect(message.contains(complaint), "\(message)")
    }

    @Test("all that is wrong is said at once")
    func allProblems() async {
        let message = await refusal("port: -1\nlog_level: loud\nlimits:\n  runs_running: 0\n")
        for key in ["port", "log_level", "limits.runs_running"] { #expect(message.contains("\n  \(key): ")) }
    }

    @Test("what --print-config prints is a file that says the same")
    func printedFormIsAFile() async throws {
        var configuration = ServeConfiguration()
        configuration.commands = ["a": "/bin/a"]
        configuration.publicURL = "https://hub.example"
        configuration.rules = "/etc/belfry/rules"
        configuration.cors.origins = ["https://ops.example"]
        #expect(try await load(file: configuration.text) == configuration)
    }

    @Test("targets are read with all their settings, and printed as they were said")
    func targets() async throws {
        let file = """
            data: /var/lib/belfry
            targets:
              ops.slack:
                url: env:SLACK_WEBHOOK_URL
                plain: true
              ledger:
                url: https://ledger.example/hooks?x=1
                secret: file:secrets/ledger
                headers: { Authorization: file:/etc/ledger, X-Team: env:TEAM }
                allow_private: true
            """
        let configuration = try await load(file: file)
        var slack = SendTarget(.reference(.environment("SLACK_WEBHOOK_URL", isOptional: false)))
        slack.isPlain = true
        var ledger = SendTarget(.url("https://ledger.example/hooks?x=1"))
        ledger.secret = .file("secrets/ledger")
        ledger.headers = [
            "Authorization": .file("/etc/ledger"), "X-Team": .environment("TEAM", isOptional: false),
        ]
        ledger.allowsPrivateAddresses = true
        #expect(configuration.targets == ["ops.slack": slack, "ledger": ledger])
        #expect(configuration.sendTargets["ledger"]?.secret == .file("/var/lib/belfry/secrets/ledger"))
        #expect(configuration.sendTargets["ledger"]?.headers["Authorization"] == .file("/etc/ledger"))
        #expect(try await load(file: configuration.text) == configuration)
        #expect(try await load(file: "targets:\n  # none\n").targets.isEmpty)
        // No variable speaks of targets.
        #expect(try await load(environment: ["BELFRY_TARGETS_A_URL": "https://x.example"]).targets.isEmpty)
    }

    @Test(
        "what is wrong with a target is said with its line",
        arguments: [
            (
                "a: {url: 'https://x', sekret: 'env:A'}",
                "belfry.yaml:2: targets.a.sekret: unknown key; did you mean secret?"
            ),
            ("a: {secret: 'env:A'}", "belfry.yaml:2: targets.a: url is missing"),
            ("a: https://x", "belfry.yaml:2: targets.a: must hold `url: https://…`"),
            ("a: {url: 'ftp://x'}", "targets.a.url: must begin with https:// or http://"),
            ("a: {url: 'https://'}", "targets.a.url: must begin with"),
            ("a: {url: 'https://u:secret@x/'}", "targets.a.url: must hold no user name or password"),
            ("a: {url: 'https://x', secret: whsec_c2VjcmV0}", "targets.a.secret: must be env:NAME or file:PATH"),
            ("a: {url: 'https://x', secret: generate}", "targets.a.secret: must be env:NAME or file:PATH"),
            ("a: {url: 'https://x', secret: 'env:A?'}", "targets.a.secret: must not be optional"),
            ("a: {url: 'https://x', headers: {A: literal}}", "targets.a.headers.A: must be env:NAME or file:PATH"),
            ("a: {url: 'https://x', headers: {Webhook-Id: 'env:A'}}", "the hub sets this header itself"),
            ("a: {url: 'https://x', headers: {'A b': 'env:A'}}", "a header's name is letters"),
            ("a: {url: 'https://x', headers: [A]}", "targets.a.headers: must be names of headers"),
            ("a: {url: 'https://x', plain: perhaps}", "targets.a.plain: must be true or false"),
            ("A B: {url: 'https://x'}", "targets.A B: a name is 1 to 64 of"),
        ])
    func wrongTarget(line: String, complaint: String) async {
        let message = await refusal("targets:\n  \(line)\n")
        #expect(message.contains(complaint), "\(message)")
        #expect(!message.contains("c2VjcmV0") && !message.contains("u:secret"))
    }

    @Test("relative secret files are within the data folder")
    func secretFiles() {
        var configuration = ServeConfiguration()
        configuration.data = "/var/lib/belfry"
        configuration.secrets.files = ["secrets", "/etc/keys"]
        #expect(configuration.secretFiles == ["/var/lib/belfry/secrets", "/etc/keys"])
    }

    @Test(
        "YAML that is none is one line with its place",
        arguments: ["port: 1\nhost: a: b\n", "port: 1\nport: 2\n", "a: [\n"])
    func brokenYAML(file: String) async {
        let message = await refusal(file)
        #expect(!message.contains("\n"), "\(message)")
        #expect(message.contains(#/belfry\.yaml:[1-3]: /#), "\(message)")
    }

    @Test("a variable that nothing reads is named with the nearest that means something")
    func unknownVariables() {
        let lines = ServeConfiguration.unknownVariables([
            "BELFRY_PROT": "1", "BELFRY_PORT": "1", "BELFRY_TOKEN": "t", "BELFRY_LIMITS_CONNECTIONS": "9",
            "PATH": "/bin",
            "BELFRY_COMMANDS_X": "/bin/x",
        ])
        #expect(lines == ["the variable BELFRY_PROT means nothing; is it BELFRY_PORT?"])
    }
}
