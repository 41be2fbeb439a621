import NIOCore
import NIOPosix

/// A client that sends what it is told, byte for byte, and shows what came.
final class RawClient {
    let channel: any Channel
    private var incoming: AsyncStream<ByteBuffer>.Iterator
    private(set) var received: [UInt8] = []
    private var isClosed = false

    struct Ended: Error, CustomStringConvertible {
        let received: String
        var description: String { "the connection ended after: \(received.suffix(400))" }
    }

    static func connect(port: Int) async throws -> RawClient {
        let (stream, sink) = AsyncStream<ByteBuffer>.makeStream()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(sink: sink))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawClient(channel: channel, stream: stream)
    }

    private init(channel: any Channel, stream: AsyncStream<ByteBuffer>) {
        self.channel = channel
        incoming = stream.makeAsyncIterator()
    }

    var text: String { String(decoding: received, as: UTF8.self) }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    /// Everything received so far, once it contains `marker` at least `count` times.
    @discardableResult
    func read(until marker: String, count: Int = 1) async throws -> String {
        while text.ranges(of: marker).count < count {
            guard let buffer = await incoming.next(isolation: #isolation) else { throw Ended(received: text) }
            received += Array(buffer.readableBytesView)
        }
        return text
    }

    func read(bytes: Int) async throws {
        while received.count < bytes {
            guard let buffer = await incoming.next(isolation: #isolation) else { throw Ended(received: text) }
            received += Array(buffer.readableBytesView)
        }
    }

    /// Everything until the server closes.
    func readToEnd() async -> String {
        while let buffer = await incoming.next(isolation: #isolation) { received += Array(buffer.readableBytesView) }
        return text
    }

    func pauseReading() async throws { try await channel.setOption(.autoRead, value: false).get() }

    func resumeReading() async throws {
        try await channel.setOption(.autoRead, value: true).get()
        channel.read()
    }

    func close() async { try? await channel.close() }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let sink: AsyncStream<ByteBuffer>.Continuation

        init(sink: AsyncStream<ByteBuffer>.Continuation) { self.sink = sink }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { sink.yield(unwrapInboundIn(data)) }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard case ChannelEvent.inputClosed = event else { return }
            sink.finish()
        }

        func channelInactive(context: ChannelHandlerContext) { sink.finish() }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// Takes a chunked body apart. Nil if the framing is not valid or not complete.
func unchunked(_ body: some StringProtocol) -> String? {
    var rest = Array(body.utf8)[...]
    var text: [UInt8] = []
    while true {
        guard let end = rest.firstIndex(of: 0x0D),
            let size = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16),
            rest.count >= end - rest.startIndex + 2 + size + 2
        else { return nil }
        let start = end + 2
        guard rest[start + size] == 0x0D, rest[start + size + 1] == 0x0A else { return nil }
        if size == 0 { return rest.count == start + 2 - rest.startIndex ? String(decoding: text, as: UTF8.self) : nil }
        text += rest[start..<start + size]
        rest = rest[(start + size + 2)...]
    }
}
