import BelfryCore
import BelfryEngine
import Glibc
import NIOCore

/// What is done for a subscriber in the way of its transport. Called once in a while, never per frame.
protocol SubscriberSink: AnyObject {
    /// A keep-alive interval has passed.
    /// - Parameter head: up to here frames were handed out.
    func keepAlive(head: Int64)

    /// The subscription has ended: says so as far as the connection takes it, and closes.
    /// - Parameter position: everything up to there was considered; a client that goes on behind it misses nothing.
    func end(_ reason: CloseReason, position: Int64)
}

/// One subscriber as the shard of its loop sees it: where it stands, and the connection that takes its frames.
final class Subscriber {
    // What each write needs stands together.
    var machine: SubscriptionStateMachine
    /// Frames of the shard's window that are for it and were not written yet.
    var pending = PendingFrames()
    var slot: TopicIndex<Subscriber>.Slot?
    let framing: StreamFraming
    /// Keep-alives since something was last written.
    var quietIntervals: UInt8 = 0
    var wheelPlace = WheelPlace()
    /// The channel may still hold bytes that must go out first.
    private var mayHoldBytes = true
    /// Where to write past the channel; nil if bytes are changed on their way (TLS), or there is no socket (tests), or
    /// the connection is gone.
    private var socket: NIOBSDSocket.Handle?
    var topics: SubscriptionTopics

    let run: RunID?
    let token: TokenID?
    /// Of one that is not sent the frames as they are.
    var rendering: RunRendering?
    /// Waits for its turn to read.
    var isQueuedToRead = false
    /// A page of the log is being read for it; one that was asked for before the topics changed is asked for again.
    var isReadingLog = false
    var isPageStale = false

    /// The connection, from when its handler is in the pipeline until it is gone.
    private(set) var context: ChannelHandlerContext?
    private var channel: (any Channel)?
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

    // MARK: - The connection

    func connect(_ context: ChannelHandlerContext) {
        self.context = context
        channel = context.channel
    }

    /// To be called before anything else when the channel becomes inactive: it has closed its socket, whose number may
    /// be another connection's by the next write.
    func disconnect() {
        context = nil
        channel = nil
        socket = nil
    }

    /// From now on bytes go from here to the kernel, without a way through the pipeline. Only for a connection on which
    /// nothing else changes bytes.
    ///
    /// The channel's buffer then holds only what the kernel did not take, and the subscriber is unwritable as long as
    /// there is anything in it.
    func writeDirectly() throws {
        guard let channel else { return }
        socket = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
        guard socket != nil else { return }
        try channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: 1, high: 1))
        // A stalled reader holds this much of the kernel's memory; Linux doubles it for its own bookkeeping.
        try channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: Limits.subscriberUnsentBytesMax)
    }

    var isWritable: Bool {
        guard socket != nil else { return channel?.isWritable ?? false }
        if mayHoldBytes { mayHoldBytes = unsentBytes > 0 }
        return !mayHoldBytes
    }

    /// Whether more may be written of what the client itself asks for: answers may wait for one write, as frames may not.
    var hasRoom: Bool { socket == nil ? isWritable : unsentBytes < Limits.subscriberUnsentBytesMax }

    /// Bytes handed to the connection and not yet taken by the kernel.
    var unsentBytes: Int { (try? channel?.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// Bytes handed to the connection and not yet taken by the client's side: also those that the kernel holds, whose
    /// room it reports by tens of kilobytes, which a slow reader may need minutes for.
    var untakenBytes: Int {
        var held: CInt = 0
        _ = try? channel?.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            // Of TCP: what is unsent, and what is sent and not acknowledged (SIOCOUTQ).
            if ioctl($0, UInt(TIOCOUTQ), &held) != 0 { held = 0 }
        }
        return unsentBytes + Int(held)
    }

    // MARK: - Writing

    /// Writes shared bytes at once.
    func send(_ buffer: ByteBuffer) {
        let sent = buffer.withUnsafeReadableBytes(trySending)
        if sent < buffer.readableBytes { leave(buffer.getSlice(at: sent, length: buffer.readableBytes - sent)) }
    }

    /// Writes bytes at once; what the kernel does not take is copied.
    func send(_ bytes: UnsafeRawBufferPointer) {
        let sent = trySending(bytes)
        if sent < bytes.count { leave(ByteBuffer(bytes: bytes[sent...])) }
    }

    /// Writes bytes with the next ``flush()``.
    func write(_ buffer: ByteBuffer) {
        guard let context, buffer.readableBytes > 0 else { return }
        quietIntervals = 0
        mayHoldBytes = true
        context.write(NIOAny(buffer), promise: nil)
    }

    func flush() { context?.flush() }

    /// - Returns: how many bytes the kernel took.
    private func trySending(_ bytes: UnsafeRawBufferPointer) -> Int {
        quietIntervals = 0
        guard let socket, isWritable else { return 0 }
        // Whatever fails here fails again when the channel writes the rest, which knows what to do then.
        return max(0, Glibc.send(socket, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL)))
    }

    /// Leaves to the channel what the kernel did not take.
    private func leave(_ rest: ByteBuffer?) {
        guard let rest, let context else { return }
        mayHoldBytes = true
        context.writeAndFlush(NIOAny(rest), promise: nil)
    }
}

/// Numbers of frames, ascending: mostly one run of them.
struct PendingFrames {
    private(set) var first: Range<Int> = 0..<0
    /// Behind the first run, if another subscriber's frames lie in between.
    private(set) var others: [Range<Int>] = []

    var isEmpty: Bool { first.isEmpty }

    var count: Int { others.reduce(first.count) { $0 + $1.count } }

    private var last: Range<Int> {
        get { others.last ?? first }
        set { if others.isEmpty { first = newValue } else { others[others.count - 1] = newValue } }
    }

    mutating func append(_ number: Int) {
        if isEmpty {
            first = number..<number + 1
        } else if last.upperBound == number {
            last = last.lowerBound..<number + 1
        } else {
            others.append(number..<number + 1)
        }
    }

    mutating func removeAll() {
        first = 0..<0
        if !others.isEmpty { others = [] }
    }
}
