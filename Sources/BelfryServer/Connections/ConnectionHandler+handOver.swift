import BelfryCore
import BelfryEngine
import NIOCore
import NIOHTTP1

extension ConnectionHandler {
    /// Turns the connection into an event stream.
    func startStream(_ plan: StreamPlan, _ context: ChannelHandlerContext) {
        let framing: StreamFraming = head?.version == .http1_0 ? .plain : .chunked
        handOver(context) { shard in
            var opening = serializer.serializeStreamHead(
                framing: framing, isText: plan.rendering?.isText ?? false, headers: plan.headers,
                seconds: settings.clock.now().seconds
            )
            opening.writeImmutableBuffer(plan.opening(framing: framing))
            let handler = StreamHandler(plan: plan, framing: framing, shard: shard)
            return (handler, handler.subscriber, opening)
        }
    }

    /// Turns the connection into a WebSocket. What the client has sent behind its handshake goes on to it.
    func startWebSocket(_ plan: WebSocketPlan, _ context: ChannelHandlerContext) {
        handOver(context) { shard in
            let opening = serializer.serializeWebSocketHead(plan, seconds: settings.clock.now().seconds)
            let handler = WebSocketHandler(plan: plan, shard: shard, bodies: settings.bodies)
            return (handler, handler.subscriber, opening)
        }
    }

    /// Takes HTTP off the connection: what is left is the subscriber, and nothing of the request is kept.
    private func handOver(
        _ context: ChannelHandlerContext,
        to make: (FanoutShard) -> (handler: any ChannelHandler, subscriber: Subscriber, opening: ByteBuffer)
    ) {
        // A client that has closed its side cannot be told from one that is gone.
        guard !isInputClosed, let shard = settings.fanout.shard(of: context.eventLoop) else {
            return context.close(promise: nil)
        }
        let (handler, subscriber, opening) = make(shard)
        let isQuiescing = machine.isLast
        let pipeline = context.pipeline.syncOperations
        let channel = context.channel
        machine.closed()
        ahead.removeAll()
        context.writeAndFlush(wrapOutboundOut(opening), promise: nil)
        do {
            let most = Limits.subscriberUnsentBytesMax
            try channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: most / 2, high: most))
            try pipeline.addHandler(handler)
            if !settings.isTLS { try subscriber.writeDirectly() }
        } catch {
            return context.close(promise: nil)
        }
        // In this order: what the decoder still holds is for the new handler.
        pipeline.removeHandler(self, promise: nil)
        pipeline.removeHandler(decoder, promise: nil)
        channel.read()
        guard channel.isActive else { return }
        shard.attach(subscriber)
        if isQuiescing { shard.close(subscriber, .serverShutdown) }
    }
}
