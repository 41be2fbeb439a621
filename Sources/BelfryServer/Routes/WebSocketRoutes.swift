import BelfryCore
import HTTPTypes

/// The WebSocket: topics and commands on one connection.
struct WebSocketRoutes {
    let service: WebSocketService
    let origins: OriginPolicy

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/ws", .webSocketViewer, isStream: true, checksScopes: true, connect)
    }

    private func connect(_ request: RouteRequest) async throws -> Reply {
        // Browsers open WebSockets from any page and ask nobody: what they say of the page is all there is.
        guard origins.verdict(on: request.headers) != .refused else {
            throw BelfryError(
                .forbidden, "pages of this origin may not connect here; the server's cors.origins names those that may"
            )
        }
        return .webSocket(try WebSocketPlan(request.head, principal: try request.caller(), service: service))
    }
}
