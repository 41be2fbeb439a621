/// What `belfry bench fanout` is to do, whoever the server is.
struct FanoutPlan: Sendable {
    enum Goal: Sendable {
        case messages(Int)
        case nanoseconds(Int64)
    }

    enum Pace: Sendable {
        /// Messages per second, all topics together. Each is stamped with the time at which it was due, so that a
        /// server that makes the publisher wait does not look faster for it.
        case rate(Double)
        /// As fast as can be, with at most so many messages that have not reached all their subscribers.
        case window(Int)
    }

    /// Subscribers beside the others that read little or nothing.
    struct Slow: Sendable {
        var readers: Int
        /// 0: they read the head of the answer, and no more.
        var bytesPerSecond: Int
    }

    /// How the server is spoken to.
    struct Wire: Sendable {
        var subscribeAt: Endpoint
        var publishAt: Endpoint
        var subscribePath: FanoutTemplate
        var publishPath: FanoutTemplate
        var body: FanoutTemplate
        /// What is sent once a WebSocket is open; then its first message says that the subscription holds.
        var hello: FanoutTemplate?
        /// Header lines, each with its end.
        var subscribeHeaders: String
        var publishHeaders: String
    }

    var subscribers: Int
    /// Their names.
    var topics: [[UInt8]]
    var publishers: Int
    var goal: Goal
    var warmUp: Int
    var pace: Pace
    var size: Int
    var slow: Slow?
    var isWebSocket: Bool
    /// Processes of the server: their descendants count too.
    var processes: [Int32]
    /// No delivery for so long: what has not come is lost.
    var patience: Duration

    var wire: Wire
    var format: FanoutMark.Format

    func subscribeRequest(topic: Int) -> [UInt8] {
        let upgrade =
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        let kind = isWebSocket ? upgrade : "Accept: text/event-stream\r\n"
        return Array("GET ".utf8) + wire.subscribePath.bytes(.init(topic: topics[topic]))
            + Array(" HTTP/1.1\r\nHost: \(wire.subscribeAt.authority)\r\n\(wire.subscribeHeaders)\(kind)\r\n".utf8)
    }

    /// Puts the request that publishes a message into `request`, in whose room the last one was.
    /// - Parameter body: room for its body.
    func publishRequest(_ mark: FanoutMark, topic: Int, into request: inout [UInt8], body: inout [UInt8]) {
        let values = FanoutTemplate.Values(topic: topics[topic], mark: mark, format: format, size: size)
        body.removeAll(keepingCapacity: true)
        wire.body.append(values, to: &body)
        request.removeAll(keepingCapacity: true)
        request += "POST ".utf8
        wire.publishPath.append(values, to: &request)
        request += " HTTP/1.1\r\nHost: ".utf8
        request += wire.publishAt.authority.utf8
        request += "\r\n".utf8
        request += wire.publishHeaders.utf8
        request += "Content-Length: ".utf8
        request.append(decimal: UInt64(body.count))
        request += "\r\n\r\n".utf8
        request += body
    }
}
