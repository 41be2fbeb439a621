import BelfryCore
import BelfryServer
import Logging

extension ServeConfiguration {
    /// What is impossible, one line each; empty when the configuration can be used.
    var problems: [String] {
        var problems: [String] = []
        func check(_ isRight: Bool, _ message: @autoclosure () -> String) {
            if !isRight { problems.append(message()) }
        }
        check(!data.isEmpty, "data: must name a folder")
        check(!host.isEmpty, "host: must be an address or name, e.g. 127.0.0.1")
        check((0...65535).contains(port), "port: \(port) is not between 0 and 65535")
        check(
            Logger.Level(rawValue: logLevel) != nil,
            "log_level: \(logLevel) is none of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))"
        )
        check(
            (tls.cert == nil) == (tls.key == nil),
            "tls: \(tls.cert == nil ? "cert" : "key") is missing; a certificate and its key belong together"
        )
        if let publicURL {
            check(
                (publicURL.hasPrefix("http://") || publicURL.hasPrefix("https://")) && !publicURL.contains("@"),
                "public_url: must begin with http:// or https:// and hold no user name"
            )
        }
        for origin in cors.origins {
            check(
                WebOrigin(origin) != nil,
                "cors.origins: \(origin) is no origin; one is scheme, host and port alone, e.g. https://ops.example"
            )
        }
        for (name, program) in commands.sorted(by: { $0.key < $1.key }) {
            check(Name.isValid(name), "commands.\(name): a name is \(Name.form)")
            check(program.hasPrefix("/"), "commands.\(name): \(program) is not an absolute path")
        }
        for (user, name) in approvals.slackUsers.sorted(by: { $0.key < $1.key }) {
            check(Name.isValid(name), "approvals.slack_users.\(user): \(name) is no name; one is \(Name.form)")
        }
        check(secrets.files.allSatisfy { !$0.isEmpty }, "secrets.files: an empty path")
        check(!secrets.env.contains("*"), "secrets.env: a lone * would open the whole environment; name the variables")
        check((1...10_000).contains(limits.runsRunning), "limits.runs_running: must be between 1 and 10000")
        check((1...1_000_000).contains(limits.connections), "limits.connections: must be between 1 and 1000000")
        return problems
    }

    /// The configuration as its own file would say it. It names secrets and never holds one.
    var text: String {
        func list(_ texts: [String]) -> String {
            "[\(texts.map { JSONValue.string($0).text }.joined(separator: ", "))]"
        }
        func text(_ value: String?) -> String { JSONValue.string(value ?? "").text }
        let programs = commands.sorted { $0.key < $1.key }.map { "\n  \($0.key): \(text($0.value))" }.joined()
        let users = approvals.slackUsers.sorted { $0.key < $1.key }.map { "\n    \($0.key): \(text($0.value))" }
            .joined()
        let places = targets.sorted { $0.key < $1.key }.map { "\n" + $0.value.text(named: $0.key) }.joined()
        return """
            data: \(text(data))
            rules: \(text(rules))
            seed: \(text(seed))
            host: \(text(host))
            port: \(port)
            tls:
              cert: \(text(tls.cert))
              key: \(text(tls.key))
            public_url: \(text(publicURL))
            cors:
              origins: \(list(cors.origins))
            log_level: \(logLevel)
            commands:\(programs.isEmpty ? " {}" : programs)
            secrets:
              env: \(list(secrets.env))
              files: \(list(secrets.files))
            targets:\(places.isEmpty ? " {}" : places)
            outbound:
              allow_private: \(outbound.allowPrivate)
            approvals:
              allow_otherwise_approve: \(approvals.allowOtherwiseApprove)
              slack_users:\(users.isEmpty ? " {}" : users)
            limits:
              runs_running: \(limits.runsRunning)
              connections: \(limits.connections)

            """
    }
}
