import BelfryCore
import BelfryEngine
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import Synchronization

@testable import BelfryServer

/// A server of bare connections on a free port, whose answers a test writes itself.
struct EdgeRig: Sendable {
    let port: Int
    let fanout: Fanout
    let group: ServiceGroup

    typealias Responder = @Sendable (InboundRequest) async -> Reply

    /// Answers with what came: the request line, then the body.
    static let echo: Responder = { request in
        var body = ByteBuffer(string: "\(request.head.method.rawValue) \(request.head.uri)\n")
        body.writeImmutableBuffer(request.body)
        return .response(
            OutboundResponse(status: 200, reason: "OK", headers: [("content-type", "text/plain")], body: body)
        )
    }

    /// Runs `body` against the server, and stops the server.
    static func run(
        configure: (inout EdgeSettings) -> Void = { _ in }, head: Int64 = 0,
        reader: @escaping Fanout.PageReader = { after, through, _ in StreamPage(frames: [], through: through) },
        respond: @escaping Responder = EdgeRig.echo, _ body: (EdgeRig) async throws -> Void
    ) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let clock = WallClock { Timestamp(milliseconds: 1_700_000_000_000) }
        let loops = MultiThreadedEventLoopGroup.singleton
        let fanout = Fanout(
            loops: Array(loops.makeIterator()), metrics: StreamMetrics(),
            clock: clock, isValid: { _ in true }, logger: logger
        )
        fanout.begin(at: head)
        var settings = EdgeSettings(
            fanout: fanout, bodyLimit: { _ in BodyLimit(bytes: 1024 * 1024) }, onRefusal: { _, _, _ in })
        settings.clock = clock
        configure(&settings)
        let channel = EdgeChannel(settings: settings) { request, _ in await respond(request) }
        let (ports, portSink) = AsyncStream<Int>.makeStream()
        let server = channel.server(
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { listener in
                portSink.yield(listener.localAddress?.port ?? 0)
            },
            eventLoopGroup: loops, logger: logger
        )
        let group = ServiceGroup(services: [server], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask { await fanout.run(reader: reader) }
            var iterator = ports.makeAsyncIterator()
            let port = await iterator.next() ?? 0
            do {
                try await body(EdgeRig(port: port, fanout: fanout, group: group))
            } catch {
                tasks.cancelAll()
                throw error
            }
            tasks.cancelAll()
        }
    }

    /// How many streams have ended for a reason.
    func closed(_ reason: CloseReason) -> Double? {
        fanout.metrics.samples.first { $0.labels.first?.value == reason.rawValue }?.value
    }

    func connect() async throws -> RawClient { try await RawClient.connect(port: port) }

    /// One request on a connection of its own, read until the server closes.
    func exchange(_ request: String) async throws -> String {
        let client = try await connect()
        try await client.send(request)
        let answer = await client.readToEnd()
        await client.close()
        return answer
    }
}
