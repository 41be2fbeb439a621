import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes

/// Rules: stored, versioned, tested before they are trusted.
struct RuleRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/rules", .role(.viewer)) { _ in .list(try await hub.rules()) }
        table.add(.get, "/v1/rules/:name", .role(.viewer), get)
        table.add(.get, "/v1/rules/:name/groups", .role(.viewer), groups)
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

    /// Its open groups, newest first.
    private func groups(_ request: RouteRequest) async throws -> Reply {
        let (limit, cursor) = try request.page()
        let page = try await hub.groups(of: try request.name("name"), limit: limit, cursor: cursor)
        return .list(page.items.map(\.json), next: page.next)
    }

    private func put(_ request: RouteRequest) async throws -> Reply {
        let name = try request.name("name")
        let isNew = try await hub.putDocument(
            DocumentName(.rule, name), text: try request.text(), precondition: try request.precondition(),
            by: try request.caller()
        )
        let rule = try await hub.rule(name) ?? JSONObject()
        return .json(rule, status: isNew ? 201 : 200, headers: rule.entityTag)
    }

    private func delete(_ request: RouteRequest) async throws -> Reply {
        try await hub.removeDocument(
            DocumentName(.rule, try request.name("name")), precondition: try request.precondition(),
            by: try request.caller())
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
        guard let text = try request.json()["for"] else {
            throw BelfryError(.missingAttribute, "for is missing: how long, such as 2h; 0s ends a mute")
        }
        guard let duration = text.string.flatMap({ Duration(shorthand: $0) }) else {
            throw BelfryError(
                .malformed, "for must be a duration with its unit: 30m, 2h, 1d; \(text.text.prefix(80)) is none")
        }
        try await hub.mute(rule: name, for: duration, by: try request.caller())
        return .json(try await hub.rule(name) ?? JSONObject())
    }
}
