import BelfryCore
import BelfryEngine
import NIOCore

/// One subscriber: the only handler left on the connection of a stream. It belongs to its loop's shard, which writes
/// shared bytes through it.
final class StreamHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let topics: [Topic]
    let run: RunID?
    let token: TokenID?
    let framing: StreamFraming
    var machine: SubscriptionStateMachine
    var slot: TopicIndex<StreamHandler>.Slot?
    /// When the keep-alive falls due within its interval.
    var phase: UInt8 = 0
    /// Keep-alives since something was last written.
    var quietIntervals: UInt8 = 0
    /// Waits for its turn to read.
    var isQueuedToRead = false

    // The turn in which it was last reached, and the frames of it that are still to be written.
    var turn: UInt64 = 0
    var deliverAfter: Int64 = 0
    var isDelivering = false
    var pendingFrames = 0..<0

    private let shard: FanoutShard
    private var context: ChannelHandlerContext?

    init(plan: StreamPlan, framing: StreamFraming, shard: FanoutShard) {
        topics = plan.topics
        run = plan.run
        token = plan.token
        self.framing = framing
        self.shard = shard
        machine = SubscriptionStateMachine(after: plan.after, end: plan.end)
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    /// Bytes handed to the connection and not yet taken by the kernel.
    var unsentBytes: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func write(_ buffer: ByteBuffer) {
        guard let context, buffer.readableBytes > 0 else { return }
        quietIntervals = 0
        context.write(wrapOutboundOut(buffer), promise: nil)
    }

    func flush() { context?.flush() }

    /// Writes the last bytes and closes the connection behind them, or when the client does not take them in time.
    func finish(with last: [ByteBuffer]) {
        guard let context else { return }
        for buffer in last { context.write(wrapOutboundOut(buffer), promise: nil) }
        let channel = context.channel
        let deadline = context.eventLoop.scheduleTask(in: TimeAmount(Limits.drainTimeout)) {
            channel.close(promise: nil)
        }
        channel.closeFuture.whenComplete { _ in deadline.cancel() }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        let end = EventStreamEncoder.end(framing: framing) ?? ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(end), promise: written)
    }

    /// Closes the connection, whatever is still unsent.
    func abort() { context?.close(promise: nil) }

    // MARK: - Channel events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// A stream has no further requests: what comes is dropped.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { shard.becameWritable(self) }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        shard.detach(self, .clientClosed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        shard.detach(self, .writeFailed)
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        // Nobody reads on: an event stream has no use for a half-closed connection.
        case ChannelEvent.inputClosed: shard.close(self, .clientClosed)
        case is ChannelShouldQuiesceEvent: shard.close(self, .serverShutdown)
        default: context.fireUserInboundEventTriggered(event)
        }
    }
}
