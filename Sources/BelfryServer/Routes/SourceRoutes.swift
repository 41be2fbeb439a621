import BelfryCore
import BelfryEngine
import BelfryRules
import BelfrySources
import BelfryStore
import HTTPTypes

/// Sources, and the switches that keep what they bring from starting anything.
struct SourceRoutes {
    let hub: Hub
    /// What stands before the path of a hook, as senders reach it.
    let baseURL: @Sendable () -> String

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/sources", .role(.viewer)) { _ in .list(try await hub.sources().map(withURL)) }
        table.add(.get, "/v1/sources/:name", .role(.viewer), get)
        table.add(.put, "/v1/sources/:name", .role(.admin), put)
        table.add(.delete, "/v1/sources/:name", .role(.admin), delete)
        table.add(.post, "/v1/sources/:name/rotate", .role(.admin), rotate)
        table.add(.post, "/v1/sources/:name/pause", .role(.operator)) { try await setPaused($0, true) }
        table.add(.post, "/v1/sources/:name/resume", .role(.operator)) { try await setPaused($0, false) }
        table.add(.post, "/v1/pause", .role(.operator)) { try await pauseAll($0, true) }
        table.add(.post, "/v1/resume", .role(.operator)) { try await pauseAll($0, false) }
    }

    /// An admin also sees the secrets and how to set the sender up.
    private func get(_ request: RouteRequest) async throws -> Reply {
        let source = try await shown(
            try request.name("name"), revealing: try request.caller().role.includes(.admin)
        )
        return .json(source, headers: source.entityTag)
    }

    private func shown(_ name: String, revealing: Bool) async throws(BelfryError) -> JSONObject {
        guard var source = try await hub.source(name, revealing: revealing) else {
            throw hub.unknown(DocumentName(.source, name))
        }
        source = withURL(source)
        if revealing { source["set_up"] = .optional(setUpText(source)) }
        return source
    }

    /// The document as YAML or JSON.
    private func put(_ request: RouteRequest) async throws -> Reply {
        let name = try request.name("name")
        let isNew = try await hub.putDocument(
            DocumentName(.source, name), text: try request.text(), precondition: try request.precondition(),
            by: try request.caller()
        )
        let source = try await shown(name, revealing: true)
        return .json(source, status: isNew ? 201 : 200, headers: source.entityTag)
    }

    /// → `{rules}`: those that ask for it still
    private func delete(_ request: RouteRequest) async throws -> Reply {
        let name = try request.name("name")
        try await hub.removeDocument(
            DocumentName(.source, name), precondition: try request.precondition(), by: try request.caller())
        return .json(["rules": .array(hub.rules(namingSource: name).map { .string($0) })])
    }

    /// `{secret?, keep?}` → `{source, url, secret: {name, value}, secrets: [{name, ends?}], set_up}`
    private func rotate(_ request: RouteRequest) async throws -> Reply {
        let name = try request.name("name")
        let body = try request.optionalJSON()
        var keep = Limits.secretKeepDefault
        if let value = body["keep"], value != .null {
            guard let duration = value.string.flatMap({ Duration(shorthand: $0) }) else {
                throw BelfryError(.malformed, "keep must be a duration with its unit: 0s, 30m, 24h")
            }
            keep = duration
        }
        let given = body["secret"].flatMap { $0.isNull ? nil : $0 }
        guard given == nil || given?.string != nil else { throw BelfryError(.malformed, "secret must be text") }
        let rotated = try await hub.rotateSecret(
            source: name, secret: given?.string.map { Secret($0) }, keep: keep, by: try request.caller()
        )
        let source = try await shown(name, revealing: true)
        let active = (source["secrets"]?.array ?? []).map { secret -> JSONValue in
            ["name": secret["name"] ?? .null, "ends": secret["ends"] ?? .null]
        }
        return .json([
            "source": .string(name), "url": source["url"] ?? .null,
            "secret": ["name": .string(rotated.name), "value": .string(rotated.secret.text)],
            "secrets": .array(active), "set_up": .optional(setUpText(source, secret: rotated.secret)),
        ])
    }

    /// - Parameter secret: the one to show; nil takes the first that does not end.
    private func setUpText(_ source: JSONObject, secret: Secret? = nil) -> String? {
        guard let document = source["document"], let url = source["url"]?.string,
            let loaded = try? DocumentLoader.load(stored: RawJSON(document), kind: .source, text: ""),
            case .source(let definition) = loaded.content
        else { return nil }
        let lasting = source["secrets"]?.array?.first { $0["ends"] == nil }?["value"]?.string
        return definition.setUpText(url: url, secret: secret ?? lasting.map { Secret($0) })
    }

    private func withURL(_ source: JSONObject) -> JSONObject {
        var source = source
        source["url"] = .string(baseURL() + (source["path"]?.string ?? ""))
        return source
    }

    private func setPaused(_ request: RouteRequest, _ isPaused: Bool) async throws -> Reply {
        let name = try request.name("name")
        try await hub.setPaused(source: name, isPaused, by: try request.caller())
        return .json(withURL(try await hub.source(name, revealing: false) ?? JSONObject()))
    }

    private func pauseAll(_ request: RouteRequest, _ isPaused: Bool) async throws -> Reply {
        try await hub.pauseAll(isPaused, by: try request.caller())
        return .json(["paused": .bool(isPaused)])
    }
}
