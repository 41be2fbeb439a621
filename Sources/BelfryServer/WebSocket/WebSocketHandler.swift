import BelfryCore
import BelfryEngine
import NIOCore

/// The only handler left on a connection that became a WebSocket. Frames are written to it by the shard of its loop, as
/// to any subscriber; what the client says is read as fast as it can be done, and no faster.
final class WebSocketHandler: ChannelDuplexHandler, RemovableChannelHandler, SubscriberSink {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case open
        /// Our close frame is written, the client's is awaited.
        case closing
        /// Everything is said; what still comes is dropped until the client closes.
        case lingering
    }

    let subscriber: Subscriber
    let shard: FanoutShard
    let service: WebSocketService
    let principal: Principal
    var calls = WebSocketCalls()
    /// Of a connection that has said what it looks at.
    var presenceTicket: Presence.Ticket?
    var hasMissedPresence = false
    private let purpose: WebSocketPlan.Purpose
    private let bodies: RequestBodies
    private var reader: WebSocketReader
    private var phase = Phase.open
    /// The client has closed its side of the connection.
    private var isInputClosed = false
    /// Our last bytes are written, and our side is closed.
    private var isOutputClosed = false
    /// When something last came, by the shard's wheel.
    private var heard: Duration
    private var isReadHeld = false
    private var isPulling = false
    /// Of the bound on all bodies.
    private var bytesHeld = 0
    /// The close frame that the client began with, and what a person should read in ours.
    private var clientClose: WebSocketReader.Item?
    private var closeText: String?

    init(plan: WebSocketPlan, shard: FanoutShard, bodies: RequestBodies) {
        let stream = StreamPlan(topics: [], after: shard.head, token: plan.principal.token)
        subscriber = Subscriber(plan: stream, framing: .webSocket)
        self.shard = shard
        self.bodies = bodies
        service = plan.service
        principal = plan.principal
        purpose = plan.purpose
        reader = WebSocketReader(bounds: plan.purpose.bounds)
        heard = shard.wheel.now
        subscriber.sink = self
    }

    var isOpen: Bool { if case .open = phase { true } else { false } }
    private var isLingering: Bool { if case .lingering = phase { true } else { false } }

    // MARK: - Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isLingering else { return }
        heard = shard.wheel.now
        reader.append(unwrapInboundIn(data))
        pull()
    }

    /// Whether more may be read. Who does not take its answers, or has many of them to come, asks nothing further.
    private var mayRead: Bool {
        switch phase {
        case .open: calls.underWay < Limits.webSocketCallsMax && subscriber.hasRoom
        case .closing, .lingering: true
        }
    }

    private func pull() {
        // What is pulled may close the connection, whose end pulls no further.
        guard !isPulling else { return }
        isPulling = true
        do {
            // What stands behind a close frame is nothing (RFC 6455, section 5.5.1).
            while !isLingering, mayRead, let item = try reader.next() { take(item) }
            try holdBytes()
        } catch let fault as WebSocketReader.Fault {
            // Behind a fault nothing can be read, so the answer to our close can't come either.
            if isOpen { close(fault.reason, fault.text) } else { subscriber.context?.close(promise: nil) }
        } catch {
            close(.overloaded, "too many large messages at the same time")
        }
        isPulling = false
        // May make the connection writable again, which goes on here.
        subscriber.flush()
        shard.watch(subscriber)
    }

    private func take(_ item: WebSocketReader.Item) {
        if case .closing = phase {
            // Ours may still be on its way, if both began at the same time.
            if case .close = item, let context = subscriber.context { leave(ByteBuffer(), context) }
            return
        }
        switch (item, purpose) {
        case (.text(let text), .calls): receive(text)
        case (.binary, .calls): close(.unsupportedData, "messages are text")
        case (.text(let payload), .echo): echo(.text, payload)
        case (.binary(let payload), .echo): echo(.binary, payload)
        default: takeControl(item)
        }
    }

    private func echo(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) {
        subscriber.write(WebSocketEncoder.frame(opcode, payload.readableBytesView))
    }

    private func takeControl(_ item: WebSocketReader.Item) {
        switch item {
        case .text, .binary: break
        case .ping(let payload): subscriber.write(WebSocketEncoder.frame(.pong, payload.readableBytesView))
        case .pong: break
        case .close:
            clientClose = item
            close(.clientClosed)
        }
    }

    private func holdBytes() throws(BelfryError) {
        let held = isOpen ? reader.bytesHeld : 0
        if held > bytesHeld { try bodies.take(held - bytesHeld) } else { bodies.giveBack(bytesHeld - held) }
        bytesHeld = held
    }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadHeld = true }
    }

    /// Goes on after a call was answered or the client took something.
    func resume() {
        pull()
        guard isReadHeld, mayRead else { return }
        isReadHeld = false
        subscriber.context?.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            shard.becameWritable(subscriber)
            changeTopics()
            tellMissedPresence()
            resume()
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: - The shard's side

    func keepAlive(head: Int64) {
        if !mayRead { heard = shard.wheel.now }
        let silence = shard.wheel.now - heard
        if silence >= Limits.webSocketSilenceMax {
            close(.unresponsive, "no sign of life")
        } else if silence >= Limits.keepAliveInterval {
            subscriber.write(WebSocketEncoder.frame(.ping, []))
            subscriber.flush()
        }
    }

    func end(_ reason: CloseReason, position: Int64) {
        guard let context = subscriber.context else { return }
        switch reason {
        case .writeFailed: context.close(promise: nil)
        case .clientClosed:
            guard case .close(let code)? = clientClose else { return context.close(promise: nil) }
            leave(WebSocketEncoder.close(code), context)
        case .protocolError, .unsupportedData, .invalidText, .messageTooLarge, .overloaded, .tooManyCalls:
            leave(WebSocketEncoder.close(reason.webSocketCode, closeText ?? reason.rawValue), context)
        case .serverShutdown:
            let delay = shard.fanout.reconnectDelay()
            var last = ByteBuffer()
            WebSocketEncoder.append(shard.fanout.closingFrame(position: position, reason, delay: delay), to: &last)
            context.write(wrapOutboundOut(last), promise: nil)
            closeText = "\(reason.rawValue): come back in \(delay.milliseconds) ms"
            awaitClose(reason, context)
        case .runEnded, .stalled, .unauthorized, .logUnavailable, .unresponsive, .replaced: awaitClose(reason, context)
        }
        guard isReadHeld else { return }
        isReadHeld = false
        context.read()
    }

    // MARK: - The end

    func close(_ reason: CloseReason, _ text: String? = nil) {
        closeText = text
        shard.close(subscriber, reason)
    }

    /// Writes our close frame; the client's is awaited.
    private func awaitClose(_ reason: CloseReason, _ context: ChannelHandlerContext) {
        phase = .closing
        let close = WebSocketEncoder.close(reason.webSocketCode, closeText ?? reason.rawValue)
        context.writeAndFlush(wrapOutboundOut(close), promise: nil)
        cut(context, in: Limits.webSocketCloseTimeout)
    }

    /// The server is stopping: what is under way is answered, nothing begins.
    private func drain() {
        calls.isDraining = true
        refuseWaitingCalls()
        closeIfDrained()
    }

    func closeIfDrained() {
        if calls.isDraining, calls.underWay == 0 { close(.serverShutdown) }
    }

    /// Our last frame: the write side is closed behind it, and what still comes is dropped, so that a reset does not
    /// take the frame from the client.
    private func leave(_ last: ByteBuffer, _ context: ChannelHandlerContext) {
        phase = .lingering
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            self.isOutputClosed = true
            self.subscriber.context?.close(mode: self.isInputClosed ? .all : .output, promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(last), promise: written)
        cut(context, in: Limits.lingerTimeout)
    }

    /// The client has closed its side. One that does so without a close frame is gone, whatever is still under way; to
    /// any other what it was promised is written first.
    private func inputClosed(_ context: ChannelHandlerContext) {
        isInputClosed = true
        switch phase {
        case .open: close(.clientClosed)
        case .closing: leave(ByteBuffer(), context)
        case .lingering: if isOutputClosed { context.close(promise: nil) }
        }
    }

    private func cut(_ context: ChannelHandlerContext, in time: Duration) {
        let channel = context.channel
        let deadline = context.eventLoop.scheduleTask(in: TimeAmount(time)) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in deadline.cancel() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: inputClosed(context)
        case is ChannelShouldQuiesceEvent: drain()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        shard.detach(subscriber, CloseReason(of: error))
        context.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) { subscriber.connect(context) }

    func handlerRemoved(context: ChannelHandlerContext) { ended() }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    private func ended() {
        leavePresence()
        shard.detach(subscriber, .clientClosed)
        phase = .lingering
        subscriber.disconnect()
        bodies.giveBack(bytesHeld)
        bytesHeld = 0
    }
}
