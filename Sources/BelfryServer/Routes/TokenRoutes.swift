import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes

/// Tokens, and who one belongs to.
struct TokenRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/tokens", .role(.admin)) { _ in .list(hub.tokens().map(\.json)) }
        table.add(.post, "/v1/tokens", .role(.admin), create)
        table.add(.delete, "/v1/tokens/:id", .role(.admin), revoke)
        table.add(.get, "/v1/me", .anyToken, checksScopes: true, me)
    }

    /// `{name, role, scopes?, expires?}` → `{id, name, role, scopes, expires, token}`; the token is shown here and never
    /// again. `expires` is a time, or how long from now: `30d`.
    private func create(_ request: RouteRequest) async throws -> Reply {
        let body = try request.json()
        guard let name = body["name"]?.string, !name.isEmpty, name.utf8.count <= Limits.nameBytesMax else {
            throw BelfryError(.missingAttribute, "name must be 1 to \(Limits.nameBytesMax) bytes of text")
        }
        guard let role = body["role"]?.string.flatMap(Role.init) else {
            let roles = Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw BelfryError(.missingAttribute, "role must be one of: \(roles)")
        }
        let created = try await hub.createToken(
            name: name, role: role, scopes: try Self.scopes(body["scopes"]),
            expires: try Self.end(body["expires"], from: request.received), by: try request.caller()
        )
        var json = created.record.json
        json["token"] = .string(created.secret.text)
        return .json(json, status: 201)
    }

    private static func scopes(_ value: JSONValue?) throws(BelfryError) -> [String] {
        guard let value, value != .null else { return [] }
        guard let list = value.array, case let scopes = list.compactMap(\.string), scopes.count == list.count else {
            throw BelfryError(.malformed, "scopes must be a list of topics such as custom/build")
        }
        return scopes
    }

    private static func end(_ value: JSONValue?, from now: Timestamp) throws(BelfryError) -> Timestamp? {
        guard let value, value != .null else { return nil }
        if let text = value.string {
            if let duration = Duration(shorthand: text) { return now + duration }
            if let time = Timestamp(text) { return time }
        }
        throw BelfryError(.malformed, "expires must be a duration such as 30d, or a time such as 2027-01-31T12:00:00Z")
    }

    private func revoke(_ request: RouteRequest) async throws -> Reply {
        try await hub.revokeToken(try request.id(TokenKind.self), by: try request.caller())
        return .empty(204)
    }

    private func me(_ request: RouteRequest) async throws -> Reply {
        let principal = try request.caller()
        return .json([
            "id": .optional(principal.token?.description), "name": .string(principal.name),
            "role": .string(principal.role.rawValue), "scopes": .array(principal.scopes.map(JSONValue.string)),
        ])
    }
}

extension TokenRecord {
    fileprivate var json: JSONObject {
        [
            "id": .string(id.description), "name": .string(name), "role": .string(role.rawValue),
            "scopes": .array(scopes.map(JSONValue.string)), "created": .string(created.description),
            "created_by": .string(createdBy), "expires": .optional(expires?.description),
            "revoked": .optional(revoked?.description), "last_used": .optional(lastUsed?.description),
        ]
    }
}
