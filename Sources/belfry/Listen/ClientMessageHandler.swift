import BelfryCore
import NIOCore
import NIOWebSocket

/// What the reader of a WebSocket gets.
enum ClientMessage: Sendable {
    case text(ByteBuffer)
    /// The hub's close frame; nothing follows.
    case closed(UInt16?, reason: String)
}

/// Between WebSocket frames and messages: answers pings at once, whatever the reader does, watches that the connection
/// lives, and says goodbye.
final class ClientMessageHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = ClientMessage
    typealias OutboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private var liveness = Liveness(at: ContinuousClock.now)
    private var watch: RepeatedTask?
    private var isReading = false
    private var hasSaidGoodbye = false

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        watch = context.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            let (handler, context) = bound.value
            handler.look(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { watch?.cancel() }

    func read(context: ChannelHandlerContext) {
        isReading = true
        context.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        context.fireChannelReadComplete()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        liveness.heard(at: .now)
        var frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text: context.fireChannelRead(wrapInboundOut(.text(frame.unmaskedData)))
        case .ping: send(context, .pong, frame.unmaskedData)
        case .connectionClose:
            var body = frame.unmaskedData
            let code = body.readInteger(as: UInt16.self)
            let reason = body.readString(length: body.readableBytes) ?? ""
            goodbye(context, code: code ?? 1000)
            context.fireChannelRead(wrapInboundOut(.closed(code, reason: reason)))
            frame.data.clear()
        default: break
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .all { goodbye(context, code: 1000) }
        context.close(mode: mode, promise: promise)
    }

    private func look(_ context: ChannelHandlerContext) {
        // What is not read is not heard: the backlog is full, and the silence is ours.
        if !isReading { liveness.heard(at: .now) }
        switch liveness.look(at: .now) {
        case .fine: break
        case .ping: send(context, .ping, ByteBuffer())
        case .dead:
            watch?.cancel()
            context.fireErrorCaught(SilentConnection())
            context.close(promise: nil)
        }
    }

    private func goodbye(_ context: ChannelHandlerContext, code: UInt16) {
        guard !hasSaidGoodbye else { return }
        hasSaidGoodbye = true
        send(context, .connectionClose, ByteBuffer(integer: code))
    }

    private func send(_ context: ChannelHandlerContext, _ opcode: WebSocketOpcode, _ data: ByteBuffer) {
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }
}

/// Nothing was heard of the hub for ``Limits/clientSilenceMax``.
struct SilentConnection: Error {}
