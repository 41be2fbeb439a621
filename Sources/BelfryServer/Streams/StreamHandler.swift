import BelfryCore
import BelfryEngine
import NIOCore

/// The only handler left on the connection of an event stream. Its subscriber belongs to the loop's shard, which writes
/// shared bytes to the connection.
final class StreamHandler: ChannelInboundHandler, RemovableChannelHandler, SubscriberSink {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let subscriber: Subscriber
    private let shard: FanoutShard
    private let sessions: [StreamSession]
    private let stream: NamedStreamOpening?

    init(plan: StreamPlan, framing: StreamFraming, shard: FanoutShard) {
        subscriber = Subscriber(plan: plan, framing: framing)
        self.shard = shard
        sessions = plan.sessions
        stream = plan.stream
        subscriber.sink = self
    }

    // MARK: - The shard's side

    func keepAlive(head: Int64) {
        // A text has no place for it.
        if let rendering = subscriber.rendering, rendering.isText { return }
        let quiet = subscriber.quietIntervals + 1
        // Readers of other formats may take an event without data for a broken one; nothing but frames of the run moves
        // their cursor. Nor does anything move it past frames that wait for their turn.
        if quiet >= KeepAliveWheel.cursorIntervals, subscriber.rendering == nil, subscriber.pending.isEmpty,
            case .live(let from) = subscriber.machine.state
        {
            subscriber.send(shard.fanout.shared.cursor(max(from, head), framing: subscriber.framing))
            subscriber.quietIntervals = 0
        } else {
            subscriber.send(shard.fanout.shared.keepAlive(framing: subscriber.framing))
            subscriber.quietIntervals = min(quiet, KeepAliveWheel.cursorIntervals)
        }
    }

    func end(_ reason: CloseReason, position: Int64) {
        switch reason {
        case .runEnded: finish(with: [])
        case .serverShutdown: sayFarewell(reason, at: position, delay: shard.fanout.reconnectDelay())
        case .unauthorized: sayFarewell(reason, at: position, delay: nil)
        case .replaced: sayFarewell(reason, at: position, delay: Limits.replacedReconnectDelay)
        default: abort()
        }
    }

    private func sayFarewell(_ reason: CloseReason, at position: Int64, delay: Duration?) {
        guard subscriber.isWritable else { return abort() }
        let frame = shard.fanout.closingFrame(position: position, reason, delay: delay)
        if let rendering = subscriber.rendering {
            guard let last = rendering.farewell(frame, retry: delay, framing: subscriber.framing) else {
                return abort()
            }
            return finish(with: last)
        }
        var buffer = ByteBuffer()
        EventStreamEncoder.append(frame, hasID: false, retry: delay, framing: subscriber.framing, to: &buffer)
        finish(with: [buffer])
    }

    /// Writes the last bytes and closes the connection behind them, or when the client does not take them in time.
    private func finish(with last: [ByteBuffer]) {
        guard let context = subscriber.context else { return }
        for buffer in last { context.write(wrapOutboundOut(buffer), promise: nil) }
        let channel = context.channel
        let deadline = context.eventLoop.scheduleTask(in: TimeAmount(Limits.streamCloseTimeout)) {
            channel.close(promise: nil)
        }
        channel.closeFuture.whenComplete { _ in deadline.cancel() }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        let framing = subscriber.framing
        let end =
            subscriber.rendering?.end(framing: framing) ?? EventStreamEncoder.end(framing: framing) ?? ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(end), promise: written)
    }

    /// Closes the connection, whatever is still unsent.
    private func abort() { subscriber.context?.close(promise: nil) }

    // MARK: - Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        subscriber.connect(context)
        stream?.connected(subscriber)
        for session in sessions { session.began(subscriber, on: shard) }
        // Once it has joined the shard: its topics may have changed since its request.
        if let stream {
            context.eventLoop.assumeIsolated().execute { [shard, subscriber] in
                stream.stream.settle((shard, subscriber))
            }
        }
    }

    /// Happens once to every handler that was added, however its connection ends.
    func handlerRemoved(context: ChannelHandlerContext) {
        subscriber.disconnect()
        stream?.ended(subscriber, head: shard.head)
        for session in sessions { session.ended(subscriber) }
    }

    /// A stream has no further requests: what comes is dropped.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { shard.becameWritable(subscriber) }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        subscriber.disconnect()
        shard.detach(subscriber, .clientClosed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        shard.detach(subscriber, CloseReason(of: error))
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        // Nobody reads on: an event stream has no use for a half-closed connection.
        case ChannelEvent.inputClosed: shard.close(subscriber, .clientClosed)
        case is ChannelShouldQuiesceEvent: shard.close(subscriber, .serverShutdown)
        default: context.fireUserInboundEventTriggered(event)
        }
    }
}
