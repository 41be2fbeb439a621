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
}

/// A complete response. Length, date and connection headers are added where it is written.
struct OutboundResponse: Sendable {
    var status: Int
    var reason: String
    var headers: [(name: String, value: String)]
    var body: ByteBuffer
}
