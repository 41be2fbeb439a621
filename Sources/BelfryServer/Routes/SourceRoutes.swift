import BelfryCore
import BelfryEngine
import BelfryRules
import BelfrySources
import HTTPTypes

/// Sources, and the switches that keep what they bring from starting anything.
struct SourceRoutes {
    let hub: Hub
    /// What stands before the path of a hook, as senders reach it.
    let baseURL: @Sendable () -> String

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/sources", .role(.viewer)) { _ in .list(try await hub.sources().map(withURL)) }
        table.add(.get, "/v1/sources/:name", .role(.viewer), get)
        table.add(.post, "/v1/sources/:name/pause", .role(.operator)) { try await setPaused($0, true) }
        table.add(.post, "/v1/sources/:name/resume", .role(.operator)) { try await setPaused($0, false) }
        table.add(.post, "/v1/pause", .role(.operator)) { try await pauseAll($0, true) }
        table.add(.post, "/v1/resume", .role(.operator)) { try await pauseAll($0, false) }
    }

    /// An admin also sees the secrets and how to set the sender up.
    private func get(_ request: RouteRequest) async throws -> Reply {
        let name = try request.name("name")
        let reveals = try request.caller().role.includes(.admin)
        guard var source = try await hub.source(name, revealing: reveals) else {
            throw BelfryError(.notFound, "there is no source \(name)")
        }
        source = withURL(source)
        if reveals { source["set_up"] = .optional(setUpText(source)) }
        return .json(source)
    }

    private func setUpText(_ source: JSONObject) -> String? {
        guard let document = source["document"], let url = source["url"]?.string,
            let loaded = try? DocumentLoader.load(stored: RawJSON(document), kind: .source, text: ""),
            case .source(let definition) = loaded.content
        else { return nil }
        let secret = source["secrets"]?.array?.first?["value"]?.string
        return definition.setUpText(url: url, secret: secret.map { Secret($0) })
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
