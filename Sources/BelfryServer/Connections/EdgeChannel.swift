import BelfryCore
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// The server's side of an accepted connection, in place of Hummingbird's own: bounds and deadlines on every request,
/// raw bodies, and streams that leave nothing but their subscriber behind.
struct EdgeChannel: ServerChildChannel {
    typealias Value = Connection

    let settings: EdgeSettings
    /// Answers a complete request.
    let respond: @Sendable (InboundRequest, any Channel) async -> Reply

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = Limits.requestHeaderBytesMax
            limits.maxHeaderListSize = Limits.requestHeaderBytesMax
            limits.maxHeaderFieldCount = Limits.requestHeadersMax
            let decoder = ByteToMessageHandler(
                HTTPRequestDecoder(
                    leftOverBytesStrategy: .forwardBytes, informationalResponseStrategy: .drop,
                    limitConfiguration: limits
                )
            )
            settings.connections.add(channel)
            let handler = ConnectionHandler(settings: settings, decoder: decoder, now: channel.eventLoop.now)
            if let tls = settings.tls {
                try channel.pipeline.syncOperations.addHandlers([
                    PlainRequestHandler(logger: settings.logger), tls.makeHandler(),
                    TLSFaultHandler(logger: settings.logger),
                ])
            }
            try channel.pipeline.syncOperations.addHandlers([decoder, handler])
            return Connection(channel: channel, handler: handler)
        }
    }

    /// One request after the other, until the connection closes or becomes a stream.
    func handle(value connection: Connection, logger: Logger) async {
        // On the connection's own loop: a request then changes threads for the store alone (see ``RouteTable``).
        await withTaskExecutorPreference(LoopExecutor(loop: connection.channel.eventLoop)) {
            await withTaskCancellationHandler {
                var request = await connection.next()
                while let received = request {
                    request = await connection.next(after: await respond(received, connection.channel))
                }
            } onCancel: {
                connection.channel.close(promise: nil)
            }
        }
    }
}

/// Runs tasks on an event loop.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// A connection as the task sees it that answers its requests.
struct Connection: ServerChildChannelValue {
    let channel: any Channel
    private let handler: NIOLoopBound<ConnectionHandler>

    /// On the channel's loop.
    init(channel: any Channel, handler: ConnectionHandler) {
        self.channel = channel
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    }

    /// The next request, after this was done with the last one. Nil when there is none any more.
    func next(after outcome: Reply? = nil) async -> InboundRequest? {
        await withCheckedContinuation { continuation in
            let goOn = { @Sendable in
                if let outcome { handler.value.perform(outcome) }
                handler.value.wait(continuation)
            }
            channel.eventLoop.inEventLoop ? goOn() : channel.eventLoop.execute(goOn)
        }
    }
}
