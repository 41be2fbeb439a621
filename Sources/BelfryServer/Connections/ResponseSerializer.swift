import BelfryCore
import NIOCore
import NIOHTTP1

/// Writes responses as HTTP/1 messages (RFC 9112).
struct ResponseSerializer {
    /// The `Date` header, good for one second.
    private var date = ""
    private var dateSeconds: Int64 = 0

    /// A whole response in one buffer.
    mutating func serialize(
        _ response: OutboundResponse, to request: HTTPRequestHead?, keepsAlive: Bool, seconds: Int64
    ) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(response.body.readableBytes + 384)
        writeStatusLine(response.status, response.reason, seconds: seconds, to: &buffer)
        for (name, value) in response.headers { buffer.writeString("\(name): \(value)\r\n") }
        let hasBody = response.status >= 200 && response.status != 204 && response.status != 304
        if hasBody { buffer.writeString("content-length: \(response.body.readableBytes)\r\n") }
        if !keepsAlive {
            buffer.writeStaticString("connection: close\r\n")
        } else if request?.version == .http1_0 {
            buffer.writeStaticString("connection: keep-alive\r\n")
        }
        buffer.writeStaticString("\r\n")
        if hasBody, request?.method != .HEAD { buffer.writeImmutableBuffer(response.body) }
        return buffer
    }

    /// The head of an event stream, or of the text of a step. Its connection carries nothing after it.
    mutating func serializeStreamHead(
        framing: StreamFraming, isText: Bool, headers: [(name: String, value: String)] = [], seconds: Int64
    ) -> ByteBuffer {
        var buffer = ByteBuffer()
        writeStatusLine(200, "OK", seconds: seconds, to: &buffer)
        buffer.writeString("content-type: \(isText ? "text/plain; charset=utf-8" : "text/event-stream")\r\n")
        buffer.writeStaticString("cache-control: no-store\r\nx-accel-buffering: no\r\nconnection: close\r\n")
        if framing == .chunked {
            buffer.writeStaticString("transfer-encoding: chunked\r\n")
            if isText { buffer.writeString("trailer: \(RunRendering.trailer)\r\n") }
        }
        for (name, value) in headers { buffer.writeString("\(name): \(value)\r\n") }
        buffer.writeStaticString("\r\n")
        return buffer
    }

    /// The answer to a WebSocket handshake (RFC 6455, section 4.2.2).
    mutating func serializeWebSocketHead(_ plan: WebSocketPlan, seconds: Int64) -> ByteBuffer {
        var buffer = ByteBuffer()
        writeStatusLine(101, "Switching Protocols", seconds: seconds, to: &buffer)
        buffer.writeStaticString("upgrade: websocket\r\nconnection: upgrade\r\n")
        buffer.writeString("sec-websocket-accept: \(plan.accept)\r\n")
        if plan.hasSubprotocol { buffer.writeString("sec-websocket-protocol: \(WebSocketPlan.subprotocol)\r\n") }
        buffer.writeStaticString("\r\n")
        return buffer
    }

    static var continueHead: ByteBuffer { ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n") }

    private mutating func writeStatusLine(
        _ status: Int, _ reason: String, seconds: Int64, to buffer: inout ByteBuffer
    ) {
        if seconds != dateSeconds || date.isEmpty {
            dateSeconds = seconds
            date = Self.httpDate(seconds: seconds)
        }
        buffer.writeString("HTTP/1.1 \(status) \(reason)\r\ndate: \(date)\r\n")
    }

    /// IMF-fixdate (RFC 9110, section 5.6.7).
    private static func httpDate(seconds: Int64) -> String {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let text = Timestamp(seconds: seconds).description
        let month = Int(text.dropFirst(5).prefix(2)) ?? 1
        let day = text.dropFirst(8).prefix(2)
        return "\(days[Int(seconds / 86400 % 7)]), \(day) \(months[month - 1]) \(text.prefix(4)) "
            + "\(text.dropFirst(11).prefix(8)) GMT"
    }
}
