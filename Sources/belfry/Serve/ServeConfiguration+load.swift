import Configuration

extension ServeConfiguration {
    /// Values given as flags of `belfry serve`; nil where the flag was not given.
    struct Flags: Sendable {
        var data, rules, seed, host, logLevel, publicURL, tlsCert, tlsKey: String?
        var port: Int?
        /// Path of the configuration file.
        var config: String?
    }

    /// The configuration: defaults < file < environment (`BELFRY_DATA`, `BELFRY_LIMITS_CONNECTIONS`, …) < flags.
    ///
    /// Throws one ``Failure`` that names every unknown key, wrong type and impossible value.
    static func load(flags: Flags, environment: [String: String]) async throws -> ServeConfiguration {
        var providers: [any ConfigProvider] = [
            InMemoryProvider(name: "flags", values: flags.values),
            EnvironmentVariablesProvider(environmentVariables: environment.filter { !$0.value.isEmpty })
                .prefixKeys(with: "belfry"),
        ]
        var names: [String: [String]] = [:]
        var targets: TargetSection?
        if let path = flags.config ?? environment["BELFRY_CONFIG"].flatMap({ $0.isEmpty ? nil : $0 }) {
            let file = try ConfigurationFile(text: LocalFile.text(at: path, bytesMax: 1024 * 1024), path: path)
            names = try file.checkKeys(known: keys, maps: ["commands", "approvals.slack_users"])
            targets = file.targets
            providers.append(try await fileProvider(path))
        }
        providers.append(InMemoryProvider(name: "defaults", values: ServeConfiguration().values))

        var reading = Reading(reader: ConfigReader(providers: providers))
        var configuration = ServeConfiguration(from: &reading, names)
        configuration.targets = targets?.targets ?? [:]
        let problems = reading.problems + (targets?.problems ?? []) + configuration.problems
        guard problems.isEmpty else {
            throw Failure(.usage, "the configuration is not usable:" + problems.map { "\n  " + $0 }.joined())
        }
        return configuration
    }

    private static func fileProvider(_ path: String) async throws -> any ConfigProvider {
        let location = ConfigReader(
            provider: InMemoryProvider(values: ["filePath": ConfigValue(.string(path), isSecret: false)]))
        do {
            return try await FileProvider<YAMLSnapshot>(config: location)
        } catch {
            throw Failure(.usage, "\(path) cannot be read as configuration: \(error)")
        }
    }

    /// - Parameter names: the operator's own, by the key that they stand below.
    private init(from reading: inout Reading, _ names: [String: [String]]) {
        data = reading.string("data")
        rules = reading.optionalString("rules")
        seed = reading.optionalString("seed")
        host = reading.string("host")
        port = reading.int("port")
        tls.cert = reading.optionalString("tls.cert")
        tls.key = reading.optionalString("tls.key")
        publicURL = reading.optionalString("public_url")
        cors.origins = reading.strings("cors.origins")
        logLevel = reading.string("log_level")
        for name in names["commands"] ?? [] { commands[name] = reading.string("commands.\(name)") }
        for user in names["approvals.slack_users"] ?? [] {
            approvals.slackUsers[user] = reading.string("approvals.slack_users.\(user)")
        }
        secrets.env = reading.strings("secrets.env")
        secrets.files = reading.strings("secrets.files")
        outbound.allowPrivate = reading.bool("outbound.allow_private")
        approvals.allowOtherwiseApprove = reading.bool("approvals.allow_otherwise_approve")
        limits.runsRunning = reading.int("limits.runs_running")
        limits.connections = reading.int("limits.connections")
    }

    /// The lowest layer, so that each key has a value and every getter may throw.
    private var values: [AbsoluteConfigKey: ConfigValue] {
        func value(_ content: ConfigContent) -> ConfigValue { ConfigValue(content, isSecret: false) }
        return [
            "data": value(.string(data)), "rules": value(.string(rules ?? "")), "seed": value(.string(seed ?? "")),
            "host": value(.string(host)), "port": value(.int(port)), "public_url": value(.string(publicURL ?? "")),
            ["tls", "cert"]: value(.string(tls.cert ?? "")), ["tls", "key"]: value(.string(tls.key ?? "")),
            ["cors", "origins"]: value(.stringArray(cors.origins)),
            "log_level": value(.string(logLevel)),
            ["secrets", "env"]: value(.stringArray(secrets.env)),
            ["secrets", "files"]: value(.stringArray(secrets.files)),
            ["outbound", "allow_private"]: value(.bool(outbound.allowPrivate)),
            ["approvals", "allow_otherwise_approve"]: value(.bool(approvals.allowOtherwiseApprove)),
            ["limits", "runs_running"]: value(.int(limits.runsRunning)),
            ["limits", "connections"]: value(.int(limits.connections)),
        ]
    }
}

extension ServeConfiguration.Flags {
    fileprivate var values: [AbsoluteConfigKey: ConfigValue] {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        let texts: [(AbsoluteConfigKey, String?)] = [
            ("data", data), ("rules", rules), ("seed", seed), ("host", host), ("log_level", logLevel),
            ("public_url", publicURL), (["tls", "cert"], tlsCert), (["tls", "key"], tlsKey),
        ]
        for (key, text) in texts { values[key] = text.map { ConfigValue(.string($0), isSecret: false) } }
        values["port"] = port.map { ConfigValue(.int($0), isSecret: false) }
        return values
    }
}

/// Reads keys with throwing getters and collects what is wrong.
private struct Reading {
    let reader: ConfigReader
    var problems: [String] = []

    mutating func string(_ key: String) -> String {
        read(key, "text", "") { reader, key in try reader.requiredString(forKey: key) }
    }
    mutating func optionalString(_ key: String) -> String? {
        let text = string(key)
        return text.isEmpty ? nil : text
    }
    mutating func int(_ key: String) -> Int {
        read(key, "a whole number", 1) { reader, key in try reader.requiredInt(forKey: key) }
    }
    mutating func bool(_ key: String) -> Bool {
        read(key, "true or false", false) { reader, key in try reader.requiredBool(forKey: key) }
    }
    mutating func strings(_ key: String) -> [String] {
        read(key, "a list of texts", []) { reader, key in try reader.requiredStringArray(forKey: key) }
    }

    private mutating func read<Value>(
        _ key: String, _ kind: String, _ substitute: Value, _ body: (ConfigReader, ConfigKey) throws -> Value
    ) -> Value {
        do {
            return try body(reader, ConfigKey(key.split(separator: ".", maxSplits: 1).map(String.init)))
        } catch {
            let variable = "BELFRY_" + key.uppercased().replacing(".", with: "_")
            problems.append("\(key): must be \(kind) (in the file, \(variable) or its flag)")
            return substitute
        }
    }
}
