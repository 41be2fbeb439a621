import NIOCore
import NIOHTTP1

/// A request that has come completely, its body as the bytes that were sent.
struct InboundRequest: Sendable {
    var head: HTTPRequestHead
    var body: ByteBuffer
}

/// What is to be done with a connection after its request was looked at.
enum Reply: Sendable {
    case response(OutboundResponse)
    /// Hand the connection to the fan-out.
    case stream(StreamPlan)
    /// Turn the connection into a WebSocket.
    case webSocket(WebSocketPlan)

    /// Adds headers to an answer; a WebSocket's has none of its own.
    mutating func add(_ headers: [(name: String, value: String)]) {
        guard !headers.isEmpty else { return }
        switch self {
        case .response(var response):
            response.headers += headers
            self = .response(response)
        case .stream(var plan):
            plan.headers += headers
            self = .stream(plan)
        case .webSocket: break
        }
    }
}

/// A complete response. Length, date and connection headers are added where it is written.
struct OutboundResponse: Sendable {
    var status: Int
    var reason: String
    var headers: [(name: String, value: String)]
    var body: ByteBuffer
}
