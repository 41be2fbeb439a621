import BelfryCore
import BelfryEngine
import HTTPTypes

/// `GET /v1/echo`: a WebSocket that sends back what it gets, so that a test suite for the protocol can drive the reader,
/// the handler and the encoder of the real one. It is no part of the API.
struct EchoRoute {
    /// Nothing but `belfry serve --test-echo` sets it.
    let isThere: Bool
    let service: WebSocketService

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/echo", .loopbackOrToken, isStream: true, connect)
    }

    private func connect(_ request: RouteRequest) async throws -> Reply {
        guard isThere else {
            throw BelfryError(.notFound, "this is for tests of the protocol: belfry serve --test-echo opens it")
        }
        let tester = request.principal ?? Principal(token: nil, name: "echo", role: .viewer)
        var plan = try WebSocketPlan(request.head, principal: tester, service: service)
        plan.purpose = .echo
        return .webSocket(plan)
    }
}
