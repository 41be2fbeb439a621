import BelfryCore
import BelfryEngine
import NIOCore
import NIOHTTP1

/// One HTTP/1 connection on its loop: gathers requests, writes answers, keeps deadlines and bounds. At most one request
/// is under way; what a client sends ahead waits, and while it waits nothing more is read.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    var machine: ConnectionStateMachine
    let settings: EdgeSettings
    let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private var context: ChannelHandlerContext?
    var serializer = ResponseSerializer()
    /// Parts of requests that were sent ahead.
    var ahead = CircularBuffer<HTTPServerRequestPart>()
    private var isReadHeld = false
    private(set) var isInputClosed = false
    private(set) var head: HTTPRequestHead?
    private var body = ByteBuffer()
    /// Of the bound on all bodies; also while the request is answered.
    private var bodyBytesHeld = 0
    /// The request's own wish, and ours.
    private var keepsAlive = false
    private var complete: InboundRequest?
    private var waiter: CheckedContinuation<InboundRequest?, Never>?
    private var timer: Scheduled<Void>?
    private var timerDeadline = NIODeadline.distantFuture

    init(settings: EdgeSettings, decoder: ByteToMessageHandler<HTTPRequestDecoder>, now: NIODeadline) {
        self.settings = settings
        self.decoder = decoder
        machine = ConnectionStateMachine(
            now: now, idleTimeout: settings.idleTimeout, readTimeout: settings.readTimeout,
            lingerTimeout: settings.lingerTimeout
        )
    }

    // MARK: - The task's side

    /// The next complete request; nil when there will be none.
    func wait(_ continuation: CheckedContinuation<InboundRequest?, Never>) {
        if let request = complete {
            complete = nil
            continuation.resume(returning: request)
        } else if machine.phase == .closed || context == nil {
            continuation.resume(returning: nil)
        } else {
            waiter = continuation
        }
    }

    func perform(_ outcome: Reply) {
        guard let context, machine.phase == .responding else { return }
        switch outcome {
        case .response(let response):
            write(response, keepsAlive: keepsAlive && !machine.isLast, context)
            processAhead(context)
        case .stream(let plan): startStream(plan, context)
        case .webSocket(let plan): startWebSocket(plan, context)
        }
    }

    // MARK: - Writing

    private func write(_ response: OutboundResponse, keepsAlive: Bool, _ context: ChannelHandlerContext) {
        let seconds = settings.clock.now().seconds
        let bytes = serializer.serialize(response, to: head, keepsAlive: keepsAlive, seconds: seconds)
        head = nil
        releaseBody()
        machine.responded(keepsAlive: keepsAlive, now: context.eventLoop.now)
        if keepsAlive {
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        } else {
            // The write side is closed behind the answer; the client's close, or the linger deadline, ends the rest.
            let written = context.eventLoop.makePromise(of: Void.self)
            let channel = context.channel
            written.futureResult.assumeIsolated().whenComplete { _ in
                channel.close(mode: .output, promise: nil)
                self.answerSent()
            }
            context.writeAndFlush(wrapOutboundOut(bytes), promise: written)
        }
        schedule(context)
        if isReadHeld, ahead.isEmpty || !keepsAlive { resumeReading(context) }
    }

    private func answerSent() {
        guard let context else { return }
        machine.sent(now: context.eventLoop.now)
        schedule(context)
    }

    private func refuse(_ error: BelfryError, _ context: ChannelHandlerContext) {
        settings.onRefusal(error, head, context.remoteAddress?.ipAddress ?? "local")
        ahead.removeAll()
        write(Problem(error).response, keepsAlive: false, context)
    }

    private func perform(_ action: ConnectionStateMachine.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .none: break
        case .sendContinue: context.writeAndFlush(wrapOutboundOut(ResponseSerializer.continueHead), promise: nil)
        case .dispatch: dispatch()
        case .refuse(let error): refuse(error, context)
        case .close: context.close(promise: nil)
        }
    }

    private func dispatch() {
        guard let head else { return }
        let request = InboundRequest(head: head, body: body)
        body = ByteBuffer()
        if let waiter {
            self.waiter = nil
            waiter.resume(returning: request)
        } else {
            complete = request
        }
    }

    // MARK: - Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if mustWait(context) { ahead.append(part) } else { process(part, context) }
    }

    private func mustWait(_ context: ChannelHandlerContext) -> Bool {
        // A client that does not read its answers gets no further ones.
        machine.phase == .responding || !ahead.isEmpty || (machine.phase == .idle && !context.channel.isWritable)
    }

    private func processAhead(_ context: ChannelHandlerContext) {
        while let part = ahead.first {
            if machine.phase == .responding || (machine.phase == .idle && !context.channel.isWritable) { return }
            ahead.removeFirst()
            process(part, context)
        }
        if isReadHeld { resumeReading(context) }
        schedule(context)
    }

    private func process(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head):
            guard case .lingering = machine.phase else { return begin(head, context) }
        case .body(let bytes):
            let wasReceiving = if case .receiving = machine.phase { true } else { false }
            let action = machine.body(bytes: bytes.readableBytes)
            if case .none = action, wasReceiving { keep(bytes, context) } else { perform(action, context) }
        case .end: perform(machine.end(), context)
        }
    }

    private func keep(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        do {
            try settings.bodies.take(bytes.readableBytes)
            bodyBytesHeld += bytes.readableBytes
            body.writeImmutableBuffer(bytes)
        } catch {
            refuse(error, context)
        }
    }

    private func releaseBody() {
        body = ByteBuffer()
        settings.bodies.giveBack(bodyBytesHeld)
        bodyBytesHeld = 0
    }

    private func begin(_ received: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var received = received
        keepsAlive = received.isKeepAlive
        // The decoder stops behind a request that asks for another protocol: if it gets none, its connection ends.
        if received.headers.contains(name: "upgrade") { keepsAlive = keepsAlive && !received.isUpgrade }
        if received.method != .GET || !received.isWebSocketUpgrade {
            received.headers.remove(name: "upgrade")
            received.headers.remove(name: "http2-settings")
        }
        head = received
        let shape = received.shape(bodyLimit: settings.bodyLimit(received))
        perform(machine.head(shape, now: context.eventLoop.now), context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !mustWait(context) { machine.bytesArrived(now: context.eventLoop.now) }
        schedule(context)
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        // Behind a request for another protocol the decoder keeps what comes, whatever it is and however much.
        let isUpgrading = machine.phase == .responding && head?.isUpgrade == true
        if ahead.isEmpty, !isUpgrading { context.read() } else { isReadHeld = true }
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        isReadHeld = false
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { processAhead(context) }
        context.fireChannelWritabilityChanged()
    }

    // MARK: - The end

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            isInputClosed = true
            perform(machine.inputClosed(), context)
        case is ChannelShouldQuiesceEvent: perform(machine.quiesce(), context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
        perform(machine.unreadable(BelfryError(unreadable: error)), context)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        schedule(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { ended() }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    private func ended() {
        context = nil
        releaseBody()
        machine.closed()
        timer?.cancel()
        timer = nil
        waiter?.resume(returning: nil)
        waiter = nil
    }

    // MARK: - Deadlines

    /// Sees to it that the timer fires no later than the deadline. One that fires too early looks again.
    private func schedule(_ context: ChannelHandlerContext) {
        guard let deadline = machine.deadline, timer == nil || deadline < timerDeadline else { return }
        timer?.cancel()
        timerDeadline = deadline
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: deadline) { handler.value.timerFired() }
    }

    private func timerFired() {
        timer = nil
        guard let context else { return }
        let unsentBytes = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        perform(machine.tick(now: context.eventLoop.now, unsentBytes: unsentBytes), context)
        schedule(context)
    }
}
