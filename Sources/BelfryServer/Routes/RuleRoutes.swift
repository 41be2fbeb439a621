import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes
import NIOHTTP1

/// Rules: stored, versioned, tested before they are trusted.
struct RuleRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/rules", .role(.viewer)) { _ in .list(try await hub.rules()) }
        table.add(.get, "/v1/rules/:name", .role(.viewer), get)
        table.add(.put, "/v1/rules/:name", .role(.admin), put)
        table.add(.delete, "/v1/rules/:name", .role(.admin), delete)
        table.add(.post, "/v1/rules/:name/enable", .role(.operator)) { try await setEnabled($0, true) }
        table.add(.post, "/v1/rules/:name/disable", .role(.operator)) { try await setEnabled($0, false) }
        table.add(.post, "/v1/rules/:name/observe", .role(.operator), observe)
        table.add(.post, "/v1/rules/:name/mute", .role(.operator), mute)
    }

    private func get(_ request: RouteRequest) async throws -> Reply {
        let name = try request.name("name")
        guard let rule = try await hub.rule(name) else { throw hub.unknown(DocumentName(.rule, name)) }
        return .json(rule, headers: rule.entityTag)
    }

    private func put(_ request: RouteRequest) async throws -> Reply {
        let name = try request.name("name")
        let isNew = try await hub.putDocument(
            DocumentName(.rule, name), text: try request.text(), expectedVersion: try request.expectedVersion(),
            by: try request.caller()
        )
        let rule = try await hub.rule(name) ?? JSONObject()
        return .json(rule, status: isNew ? 201 : 200, headers: rule.entityTag)
    }

    private func delete(_ request: RouteRequest) async throws -> Reply {
        try await hub.removeDocument(DocumentName(.rule, try request.name("name")), by: try request.caller())
        return .empty(204)
    }

    private func setEnabled(_ request: RouteRequest, _ isEnabled: Bool) async throws -> Reply {
        let name = try request.name("name")
        try await hub.setEnabled(rule: name, isEnabled, by: try request.caller())
        return .json(try await hub.rule(name) ?? JSONObject())
    }

    /// `{on: bool}`
    private func observe(_ request: RouteRequest) async throws -> Reply {
        let name = try request.name("name")
        guard let isObserving = try request.json()["on"]?.bool else {
            throw BelfryError(.missingAttribute, "on must be true or false")
        }
        try await hub.setObserving(rule: name, isObserving, by: try request.caller())
        return .json(try await hub.rule(name) ?? JSONObject())
    }

    /// `{for: "2h"}`; `0s` ends it
    private func mute(_ request: RouteRequest) async throws -> Reply {
        let name = try request.name("name")
        guard let duration = try request.json()["for"]?.string.flatMap({ Duration(shorthand: $0) }) else {
            throw BelfryError(.missingAttribute, "for must be a duration with its unit: 30m, 2h, 1d; 0s ends a mute")
        }
        try await hub.mute(rule: name, for: duration, by: try request.caller())
        return .json(try await hub.rule(name) ?? JSONObject())
    }
}

extension JSONObject {
    /// The `ETag` of a document: its version.
    var entityTag: [(name: String, value: String)] {
        self["version"]?.number?.int64.map { [("etag", "\"\($0)\"")] } ?? []
    }
}

extension RouteRequest {
    /// The version that `If-Match` asks for; nil without one. `*` is any version, which is what no header means too.
    /// `If-None-Match: *` asks for none: 0.
    func expectedVersion() throws(BelfryError) -> Int64? {
        if headers.first(name: "if-none-match") == "*" { return 0 }
        guard let text = headers.first(name: "if-match"), text != "*" else { return nil }
        guard let version = Int64(text.filter { $0 != "\"" }) else {
            throw BelfryError(.preconditionFailed, "If-Match must hold the version that the ETag showed")
        }
        return version
    }
}
