import BelfryCore
import BelfryEngine
import NIOCore

extension ConnectionHandler {
    /// Turns the connection into an event stream.
    func startStream(_ plan: StreamPlan, _ context: ChannelHandlerContext) {
        let framing: StreamFraming = head?.version == .http1_0 ? .plain : .chunked
        handOver(context) { shard in
            var opening = serializer.serializeStreamHead(framing: framing, seconds: settings.clock.now().seconds)
            opening.writeImmutableBuffer(plan.opening(framing: framing))
            return (StreamHandler(plan: plan, framing: framing, shard: shard), opening)
        }
    }

    /// Takes HTTP off the connection: what is left is the subscriber, and nothing of the request is kept.
    private func handOver(
        _ context: ChannelHandlerContext, to make: (FanoutShard) -> (subscriber: StreamHandler, opening: ByteBuffer)
    ) {
        // A client that has closed its side cannot be told from one that is gone.
        guard !isInputClosed, let shard = settings.fanout.shard(of: context.eventLoop) else {
            return context.close(promise: nil)
        }
        let (subscriber, opening) = make(shard)
        let isQuiescing = machine.isLast
        let pipeline = context.pipeline.syncOperations
        let channel = context.channel
        machine.closed()
        ahead.removeAll()
        context.writeAndFlush(wrapOutboundOut(opening), promise: nil)
        do {
            let most = Limits.subscriberUnsentBytesMax
            try channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: most / 2, high: most))
            try pipeline.addHandler(subscriber)
        } catch {
            return context.close(promise: nil)
        }
        pipeline.removeHandler(decoder, promise: nil)
        pipeline.removeHandler(self, promise: nil)
        channel.read()
        guard channel.isActive else { return }
        shard.attach(subscriber)
        if isQuiescing { shard.close(subscriber, .serverShutdown) }
    }
}
