import Logging
import NIOCore

/// Before TLS: tells a client that speaks plain HTTP to the TLS port what is wrong, and ends the connection.
final class PlainRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let logger: Logger
    private var hasAnswered = false

    init(logger: Logger) { self.logger = logger }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasAnswered else { return }
        let first = unwrapInboundIn(data)
        // TLS begins with a record of type 22 (RFC 8446, section 5.1), a request with a letter of its method.
        guard let byte = first.getInteger(at: first.readerIndex, as: UInt8.self), (0x41...0x5A).contains(byte) else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
            return
        }
        hasAnswered = true
        logger.debug("plain HTTP on the TLS port", metadata: ["peer": "\(context.remoteAddress?.ipAddress ?? "local")"])
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(Self.answer), promise: written)
    }

    private static var answer: ByteBuffer {
        let text = "this port speaks TLS: use https://\n"
        return ByteBuffer(
            string: "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: \(text.utf8.count)\r\n"
                + "connection: close\r\n\r\n\(text)")
    }
}
