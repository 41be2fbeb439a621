import BelfryCore
import HTTPTypes
import NIOHTTP1

/// What arrives here of a request: a proxy on the way can take away or rewrite what streams and browsers need, and only
/// the hub sees that. For `belfry doctor --url`.
struct ProbeRoutes {
    let origins: OriginPolicy

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/probe", .role(.viewer), probe)
    }

    private func probe(_ request: RouteRequest) async throws -> Reply {
        let origin =
            switch origins.verdict(on: request.headers) {
            case .absent: "absent"
            case .allowed: "allowed"
            case .refused: "refused"
            }
        return .json([
            "host": .optional(request.host), "origin": .string(origin),
            "last_event_id": .optional(request.headers.first(name: "last-event-id")),
            "forwarded": .bool(
                ["forwarded", "x-forwarded-for"].contains { request.headers.contains(name: $0) }),
        ])
    }
}
