import Logging
import NIOCore
import NIOSSL

/// Behind TLS: ends connections whose handshake fails, and keeps from the rest of the pipeline how a client hung up.
final class TLSFaultHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        // The end of the connection follows, and says all there is to say. HTTP and WebSocket know by themselves what
        // is complete.
        case NIOSSLError.uncleanShutdown: break
        case is NIOSSLError, is BoringSSLError:
            logger.debug(
                "a TLS connection failed",
                metadata: ["peer": "\(context.remoteAddress?.ipAddress ?? "local")", "error": "\(error)"])
            context.close(promise: nil)
        default: context.fireErrorCaught(error)
        }
    }
}
