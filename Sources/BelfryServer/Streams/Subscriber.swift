import BelfryCore
import BelfryEngine
import NIOCore

/// What is done for a subscriber in the way of its transport. Called once in a while, never per frame.
protocol SubscriberSink: AnyObject {
    /// A keep-alive interval has passed.
    /// - Parameter head: up to here frames were handed out.
    func keepAlive(head: Int64)

    /// The subscription has ended: says so as far as the connection takes it, and closes.
    func end(_ reason: CloseReason, head: Int64)
}

/// One subscriber as the shard of its loop sees it: where it stands, and the connection that takes its frames.
final class Subscriber {
    var topics: SubscriptionTopics
    let run: RunID?
    let token: TokenID?
    let framing: StreamFraming
    /// Of one that is not sent the frames as they are.
    var rendering: RunRendering?
    var machine: SubscriptionStateMachine
    var slot: TopicIndex<Subscriber>.Slot?
    /// When the keep-alive falls due within its interval.
    var phase: UInt8 = 0
    /// Keep-alives since something was last written.
    var quietIntervals: UInt8 = 0
    /// Waits for its turn to read.
    var isQueuedToRead = false
    /// A page of the log is being read for it; one that was asked for before the topics changed is asked for again.
    var isReadingLog = false
    var isPageStale = false

    // The turn in which it was last reached, and the frames of it that are still to be written.
    var turn: UInt64 = 0
    var deliverAfter: Int64 = 0
    var isDelivering = false
    var pendingFrames = 0..<0

    /// The connection, from when its handler is in the pipeline until it is gone.
    var context: ChannelHandlerContext?
    weak var sink: (any SubscriberSink)?

    init(plan: StreamPlan, framing: StreamFraming) {
        topics = SubscriptionTopics(plan.topics, after: plan.after)
        run = plan.run
        token = plan.token
        self.framing = framing
        rendering = plan.rendering
        machine = SubscriptionStateMachine(after: plan.after, end: plan.end)
    }

    /// Whether what comes next is history on an event stream: it carries no ids, so it is encoded for this subscriber.
    func isSentHistory(after cursor: Int64) -> Bool { framing != .webSocket && cursor < topics.historyEnd }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    /// Bytes handed to the connection and not yet taken by the kernel.
    var unsentBytes: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func write(_ buffer: ByteBuffer) {
        guard let context, buffer.readableBytes > 0 else { return }
        quietIntervals = 0
        context.write(NIOAny(buffer), promise: nil)
    }

    func flush() { context?.flush() }
}
