import BelfryCore
import BelfryEngine
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import BelfryServer

/// A connection on a loop whose time the test turns itself.
@Suite("WebSocket connection")
struct WebSocketHandlerTests {
    private let loop = EmbeddedEventLoop()
    private let fanout: Fanout

    init() {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        fanout = Fanout(loops: [loop], metrics: StreamMetrics(), isValid: { _ in true }, logger: logger)
        fanout.begin(at: 5)
    }

    /// Calls are taken and never done.
    private func connect(
        bodies: RequestBodies = RequestBodies(), purpose: WebSocketPlan.Purpose = .calls
    ) throws -> (EmbeddedChannel, WebSocketHandler) {
        let shard = try #require(fanout.shard(of: loop))
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/v1/ws")
        head.headers = [
            "upgrade": "websocket", "connection": "upgrade", "sec-websocket-version": "13",
            "sec-websocket-key": WebSocketClient.key,
        ]
        let service = WebSocketService { _, _ throws(BelfryError) in .answer([:]) }
        let principal = Principal(token: nil, name: "t", role: .viewer)
        var plan = try WebSocketPlan(head, principal: principal, service: service)
        plan.purpose = purpose
        let handler = WebSocketHandler(plan: plan, shard: shard, bodies: bodies)
        let channel = EmbeddedChannel(handler: handler, loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        shard.attach(handler.subscriber)
        return (channel, handler)
    }

    private func written(_ channel: EmbeddedChannel) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { bytes += Array(buffer.readableBytesView) }
        return bytes
    }

    private func pass(seconds: Int) { for _ in 0..<seconds { loop.advanceTime(by: .seconds(1)) } }

    @Test("a quiet client is pinged every 15 s, and one that gives no sign of life is closed with 1008")
    func keepAlive() throws {
        let (channel, handler) = try connect()
        pass(seconds: 15)
        #expect(try written(channel) == [0x89, 0])
        try channel.writeInbound(ByteBuffer(bytes: WebSocketClient.frame(0x8A, [])))
        pass(seconds: 15)
        #expect(try written(channel) == [0x89, 0])
        pass(seconds: 15)
        #expect(try Array(written(channel).dropFirst(0).prefix(4)) == [0x88, 17, 0x03, 0xF0])
        #expect(handler.subscriber.machine.state == .closed(.unresponsive))
        // It does not answer the close either.
        #expect(channel.isActive)
        pass(seconds: 5)
        #expect(!channel.isActive)
    }

    @Test("a client that says something is not pinged")
    func busy() throws {
        let (channel, _) = try connect()
        for _ in 0..<8 {
            pass(seconds: 7)
            try channel.writeInbound(ByteBuffer(bytes: WebSocketClient.frame(0x8A, [])))
        }
        #expect(try written(channel) == [])
    }

    @Test("our close waits for the client's, and takes nothing else")
    func closing() throws {
        let (channel, handler) = try connect()
        handler.close(.unauthorized)
        #expect(try written(channel).prefix(4) == [0x88, 14, 0x03, 0xF0])
        try channel.writeInbound(ByteBuffer(bytes: WebSocketClient.frame(0x89, [1]) + WebSocketClient.text("{")))
        #expect(try written(channel) == [])
        #expect(channel.isActive)
        try channel.writeInbound(ByteBuffer(bytes: WebSocketClient.frame(0x88, [0x03, 0xF0])))
        pass(seconds: 2)
        #expect(!channel.isActive)
    }

    @Test("what stands behind a close frame is not done")
    func behindClose() throws {
        let (channel, handler) = try connect()
        let call = WebSocketClient.text(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
        try channel.writeInbound(ByteBuffer(bytes: WebSocketClient.frame(0x88, [0x03, 0xE8]) + call + [0xFF]))
        #expect(handler.calls.underWay == 0)
        #expect(try written(channel) == [0x88, 2, 0x03, 0xE8])
        pass(seconds: 2)
        #expect(!channel.isActive)
    }

    @Test("a client that closes its side right behind its close frame still gets the answer")
    func closesSide() throws {
        let (channel, _) = try connect()
        let close = ByteBuffer(bytes: WebSocketClient.frame(0x88, [0x03, 0xE8]))
        try channel.writeInbound(close)
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(try written(channel) == [0x88, 2, 0x03, 0xE8])
        #expect(!channel.isActive)
    }

    @Test("an echo is sent back as it came, and a client that takes nothing is not read on")
    func echo() throws {
        let (channel, handler) = try connect(purpose: .echo)
        let binary = WebSocketClient.frame(0x82, [0, 0xFF])
        try channel.writeInbound(ByteBuffer(bytes: WebSocketClient.text("ä") + binary))
        #expect(try written(channel) == [0x81, 2, 0xC3, 0xA4, 0x82, 2, 0, 0xFF])
        channel.isWritable = false
        try channel.writeInbound(ByteBuffer(bytes: binary))
        #expect(try written(channel) == [])
        // Without progress for 30 s it is closed, as any other.
        pass(seconds: 35)
        #expect(handler.subscriber.machine.state == .closed(.stalled))
    }

    @Test("a client that breaks the protocol while its answer to our close is awaited is cut")
    func brokenWhileClosing() throws {
        let (channel, handler) = try connect()
        handler.close(.unauthorized)
        #expect(throws: Never.self) { try channel.writeInbound(ByteBuffer(bytes: [0xFF])) }
        #expect(!channel.isActive)
    }

    @Test("more calls than may be under way are left unread")
    func boundsCalls() throws {
        let (channel, handler) = try connect()
        let call = WebSocketClient.text(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
        try channel.writeInbound(ByteBuffer(bytes: Array(repeating: call, count: 20).joined()))
        #expect(handler.calls.underWay == Limits.webSocketCallsMax)
        // Also a ping behind them waits.
        try channel.writeInbound(ByteBuffer(bytes: WebSocketClient.frame(0x89, [1])))
        #expect(try written(channel) == [])
    }

    @Test("calls that come too fast are answered with how long to wait; far too many close the connection with 1008")
    func boundsRate() throws {
        let (channel, handler) = try connect()
        let batch = #"[\#((0..<32).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"nope"}"# }.joined(separator: ","))]"#
        let message = ByteBuffer(bytes: WebSocketClient.text(batch))
        for _ in 0..<4 { try channel.writeInbound(message) }
        #expect(!String(decoding: try written(channel), as: UTF8.self).contains("too_many_requests"))
        try channel.writeInbound(message)
        let refused = String(decoding: try written(channel), as: UTF8.self)
        #expect(refused.ranges(of: #""code":"too_many_requests""#).count == 32)
        #expect(refused.ranges(of: #""retry_after_ms":"#).count == 32)
        pass(seconds: 3)
        try channel.writeInbound(message)
        #expect(!String(decoding: try written(channel), as: UTF8.self).contains("too_many_requests"))
        for _ in 0..<20 where handler.isOpen { try channel.writeInbound(message) }
        #expect(handler.subscriber.machine.state == .closed(.tooManyCalls))
        let end = try written(channel)
        #expect(end.suffix(22).starts(with: [0x88, 20, 0x03, 0xF0]))
    }

    @Test("a server that stops waits for the calls under way, and refuses others")
    func drains() throws {
        let (channel, handler) = try connect()
        try channel.writeInbound(ByteBuffer(bytes: WebSocketClient.text(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)))
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(handler.isOpen)
        try channel.writeInbound(ByteBuffer(bytes: WebSocketClient.text(#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#)))
        #expect(String(decoding: try written(channel), as: UTF8.self).contains("shutting_down"))
        handler.calls.underWay = 0
        handler.closeIfDrained()
        // When to come back: in a notification for programs, in the close frame for people.
        let said = try written(channel)
        let text = String(decoding: said, as: UTF8.self)
        let delay = try #require(
            text.firstMatch(of: #/"type":"CLOSING","data":{"reason":"server_shutdown","retry_ms":(\d+)}/#))
        #expect((1000...2000).contains(try #require(Int(delay.1))))
        let close = try #require(said.firstRange(of: [0x03, 0xE9] as [UInt8]))
        #expect(
            String(decoding: said[close.upperBound...], as: UTF8.self) == "server_shutdown: come back in \(delay.1) ms")
    }

    @Test("a server that stops does not wait for changes of topics that a stalled client holds up")
    func drainsStalled() throws {
        let (channel, handler) = try connect()
        let call = #"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"topics":["runs"]}}"#
        try channel.writeInbound(ByteBuffer(bytes: WebSocketClient.text(call) + WebSocketClient.text(call)))
        #expect(handler.calls.underWay == 2)
        handler.calls.underWay = 1
        handler.calls.isChangingTopics = false
        channel.isWritable = false
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(handler.subscriber.machine.state == .closed(.serverShutdown))
        pass(seconds: 5)
        #expect(!channel.isActive)
    }

    @Test("half messages of all clients together are bounded: 1013")
    func boundsMemory() throws {
        let (channel, _) = try connect(bodies: RequestBodies(bytesMax: 1000))
        try channel.writeInbound(ByteBuffer(bytes: WebSocketClient.frame(0x01, [UInt8](repeating: 0x61, count: 2000))))
        #expect(try written(channel).dropFirst(2).prefix(2) == [0x03, 0xF5])
    }

    @Test("the room that a client's half message took is free again when it goes")
    func freesMemory() throws {
        let bodies = RequestBodies(bytesMax: 10_000)
        let (channel, _) = try connect(bodies: bodies)
        try channel.writeInbound(ByteBuffer(bytes: WebSocketClient.frame(0x01, [UInt8](repeating: 0x61, count: 2000))))
        #expect(bodies.bytes == 2000)
        try channel.close().wait()
        #expect(bodies.bytes == 0)
    }
}
