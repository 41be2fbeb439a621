import BelfryCore
public import BelfryEngine
import BelfryStore
import Glibc
import HummingbirdCore
public import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// The hub's edge: HTTP, event streams and WebSockets. A service that listens while it runs.
///
/// When it is shut down gracefully it stops listening, says so at `/readyz`, lets requests under way finish, and ends
/// streams with a CLOSING frame; what has not ended within the drain timeout is cut.
public final class HTTPServer: Service {
    private let hub: Hub
    private let configuration: ServerConfiguration
    private let logger: Logger
    private let onRunning: @Sendable (Int) async -> Void
    private let loops: MultiThreadedEventLoopGroup
    private let fanout: Fanout
    private let webSockets: WebSocketService
    private let connections = OpenConnections()
    private let requests = RequestMetrics()
    /// Zero until it listens.
    private let port = Mutex(0)
    private let tickets: StreamTickets
    private let streams: NamedStreams
    /// Who asks, for routes and upgrades.
    private let authentication: Authentication

    /// From now on the server hears of every commit.
    /// - Parameter onRunning: called with the port once the server listens.
    public init(
        hub: Hub, configuration: ServerConfiguration = ServerConfiguration(), logger: Logger,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.hub = hub
        self.configuration = configuration
        self.logger = logger
        self.onRunning = onRunning
        authentication = Authentication(
            principal: { hub.authenticate(bearer: $0) },
            origins: OriginPolicy(publicURL: configuration.publicURL, others: configuration.allowedOrigins)
        )
        tickets = StreamTickets(clock: configuration.clock, isValid: { hub.isValid(token: $0) })
        streams = NamedStreams(clock: configuration.clock)
        loops = MultiThreadedEventLoopGroup.singleton
        let fanout = Fanout(
            loops: Array(loops.makeIterator()), metrics: StreamMetrics(), clock: configuration.clock,
            isValid: { hub.isValid(token: $0) }, logger: logger
        )
        self.fanout = fanout
        webSockets = WebSocketService(perform: WebSocketMethods(hub: hub, clock: configuration.clock).perform)
        hub.subscribeCommits { fanout.publish($0.frames) }
        fanout.begin(at: hub.head)
    }

    /// Throws `conflict` with the address and the reason if it cannot listen.
    public func run() async throws {
        let server = makeServer()
        let hub = hub
        let fanout = fanout
        let webSockets = webSockets
        let logger = logger
        let drainTimeout = configuration.drainTimeout
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await fanout.run(reader: Self.reader(hub)) }
                group.addTask { await webSockets.run() }
                group.addTask {
                    // Never returns without a shutdown: the group ends with the server.
                    try await gracefulShutdown()
                    try await ContinuousClock().sleep(for: drainTimeout)
                    logger.warning("draining took too long, what is left is cut")
                    throw DrainTimeout()
                }
                group.addTask { [configuration, connections] in
                    do {
                        try await server.run()
                    } catch let error as IOError {
                        throw BelfryError(cannotListen: configuration, error)
                    }
                    // The framework waits for its tasks; streams and WebSockets are none.
                    await connections.waitForEnd()
                    throw Finished()
                }
                defer { group.cancelAll() }
                do {
                    while try await group.next() != nil {}
                } catch is Finished {
                    return
                } catch is DrainTimeout {
                    return
                }
            }
        } onGracefulShutdown: {
            hub.beginDraining()
        }
    }

    private struct Finished: Error {}
    private struct DrainTimeout: Error {}

    private static func reader(_ hub: Hub) -> Fanout.PageReader {
        { after, through, topics in
            let page = try await hub.frames(after: after, through: through, topics: topics, max: Limits.replayFramesMax)
            return StreamPage(frames: page.frames, through: page.through, floors: page.floors)
        }
    }

    // MARK: - Parts

    private func makeServer() -> any Service {
        let dispatcher = Dispatcher(
            responder: makeRoutes().responder(), metrics: requests, clock: configuration.clock,
            crossOrigin: CrossOrigin(origins: authentication.origins), logger: logger
        )
        let hub = hub
        let authentication = authentication
        let settings = EdgeSettings(
            fanout: fanout,
            bodyLimit: { BodyLimit(of: $0, hub, authentication) },
            onRefusal: { error, head, remote in
                dispatcher.refused(error, head: head)
                guard let head, let source = head.deliverySource, !head.isRehearsal(authentication) else { return }
                hub.recordRefusal(source: source, code: error.code, remote: remote)
            },
            connections: connections, tls: configuration.tls, logger: logger, clock: configuration.clock
        )
        let channel = EdgeChannel(settings: settings) { request, channel in
            await dispatcher.respond(to: request, peerAddress: channel.remoteAddress)
        }
        return channel.server(
            configuration: HummingbirdCore.ServerConfiguration(
                address: .hostname(configuration.host, port: configuration.port), backlog: Limits.listenBacklog,
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.connectionsMax, logger: logger)
            ),
            onServerRunning: { [self] listener in
                let port = listener.localAddress?.port ?? configuration.port
                self.port.withLock { $0 = port }
                await onRunning(port)
            },
            eventLoopGroup: loops, logger: logger
        )
    }

    private func makeRoutes() -> RouteTable {
        let hub = hub
        let fanout = fanout
        let requests = requests
        var table = RouteTable(authentication: authentication, tickets: tickets)
        PageRoutes().add(to: &table)
        SessionRoutes(
            hub: hub, codes: configuration.signInCodes, publicURL: publicURL, scheme: scheme,
            origins: authentication.origins
        ).add(to: &table)
        HookRoutes(hub: hub).add(to: &table)
        EventRoutes(hub: hub).add(to: &table)
        RuleTrialRoutes(hub: hub, clock: configuration.clock).add(to: &table)
        RuleRoutes(hub: hub).add(to: &table)
        VersionRoutes(hub: hub).add(to: &table)
        DocumentRoutes(hub: hub).add(to: &table)
        SourceRoutes(hub: hub, baseURL: { [self] in baseURL }).add(to: &table)
        AgentRoutes(hub: hub).add(to: &table)
        RunRoutes(hub: hub).add(to: &table)
        ApprovalRoutes(hub: hub).add(to: &table)
        DecisionRoutes(hub: hub).add(to: &table)
        AuditRoutes(hub: hub).add(to: &table)
        TokenRoutes(hub: hub).add(to: &table)
        TargetRoutes(hub: hub).add(to: &table)
        TopicRoutes(hub: hub).add(to: &table)
        TicketRoutes(tickets: tickets).add(to: &table)
        StreamRoutes(hub: hub, streams: streams, clock: configuration.clock).add(to: &table)
        NamedStreamRoutes(hub: hub, streams: streams).add(to: &table)
        WebSocketRoutes(service: webSockets, origins: authentication.origins).add(to: &table)
        EchoRoute(isThere: configuration.testEcho, service: webSockets).add(to: &table)
        ProbeRoutes(origins: authentication.origins).add(to: &table)
        StatusRoutes(
            hub: hub, tls: configuration.tls, samples: { hub.metrics + requests.samples + fanout.metrics.samples }
        ).add(to: &table)
        return table
    }

    private var publicURL: String? {
        configuration.publicURL.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    }

    private var baseURL: String {
        if let publicURL { return publicURL }
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        return "\(scheme)://\(host):\(port.withLock { $0 })"
    }

    private var scheme: String { configuration.tls == nil ? "http" : "https" }
}

extension BelfryError {
    fileprivate init(cannotListen configuration: ServerConfiguration, _ error: IOError) {
        let reason =
            switch error.errnoCode {
            case EADDRINUSE: "something else listens there already"
            case EACCES: "ports below 1024 need a privilege that this process does not have"
            case EADDRNOTAVAIL: "this machine has no such address"
            default: "\(error)"
            }
        self.init(.conflict, "cannot listen on \(configuration.host):\(configuration.port): \(reason)")
    }
}
