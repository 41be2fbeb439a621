import BelfryCore
import BelfryEngine
import BelfryServer
import BelfryStore
import Logging
import ServiceLifecycle
import UnixSignals

/// The composition root: what `belfry serve` is made of, in the order it comes to life.
enum Composition {
    static func serve(_ configuration: ServeConfiguration) async throws {
        // Log lines go to stderr; stdout is for the person who started it.
        let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let logger = Logger(label: "belfry")

        // Each connection is an open file; the usual limit of 1,024 is far below what the hub is made for.
        OpenFiles.raiseLimit()

        // The store and all that hangs on it: from here on the data folder is ours.
        let hub = try await openHub(configuration, logger: logger)
        do {
            try await start(hub, configuration, logger: logger)
        } catch {
            await hub.close()
            throw error
        }
        await hub.close()
        logger.notice("stopped")
    }

    private static func openHub(_ configuration: ServeConfiguration, logger: Logger) async throws -> Hub {
        var engine = HubConfiguration(
            folder: LocalFile.absolute(configuration.data),
            secrets: SecretResolver(
                allowedEnvironment: configuration.secrets.env,
                allowedFiles: configuration.secretFiles
            )
        )
        engine.commands = configuration.commands
        engine.agentsMayReachPrivateAddresses = configuration.outbound.allowPrivate
        engine.runsRunningMax = configuration.limits.runsRunning
        return try await Hub.open(engine, logger: logger)
    }

    private static func start(_ hub: Hub, _ configuration: ServeConfiguration, logger: Logger) async throws {
        // What the hub is to do: a folder that is the truth, or the shipped documents into an empty store, once.
        if let folder = configuration.rules {
            do {
                try await applyFolder(folder, to: hub, logger: logger)
            } catch  where hub.hasFileDocuments {
                // A broken file must not keep the hub down: deliveries would be lost. It runs the set from before.
                logger.error(
                    "the rules folder can't be applied, the set from before stays", metadata: ["error": "\(error)"])
            }
        } else if let folder = configuration.seed {
            _ = try await hub.seedDocuments(try DocumentFiles.read([folder]))
        }
        try await AdminToken.ensure(hub, folder: LocalFile.absolute(configuration.data))

        // The edge. It is up before runs go on, and streams stay open while runs drain.
        var edge = ServerConfiguration()
        edge.host = configuration.host
        edge.port = configuration.port
        edge.publicURL = configuration.publicURL
        edge.allowedOrigins = configuration.cors.origins.compactMap { WebOrigin($0) }
        edge.connectionsMax = configuration.limits.connections
        edge.testEcho = configuration.hasTestEcho
        if edge.testEcho { logger.warning("/v1/echo is open: a WebSocket for tests, which takes large messages") }
        let codes = edge.signInCodes
        let server = HTTPServer(hub: hub, configuration: edge, logger: logger) { port in
            let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
            Terminal.write("belfry is listening on http://\(host):\(port)\n")
            // Whoever sees this terminal started the hub. A file or a journal is read by others.
            if Terminal.isInteractive, let code = try? codes.make(for: .hub, at: WallClock.system.now()).code {
                let base = configuration.publicURL ?? "http://\(host):\(port)"
                Terminal.write("open \(SignInCodes.link(base: base, code)) (works once, for 15 minutes)\n")
            }
            logger.notice(
                "belfry serves",
                metadata: ["version": "\(Version.text)", "data": "\(configuration.data)", "port": "\(port)"]
            )
        }

        // Services stop in reverse order: runs drain first, then streams and requests end.
        let reloader = Reloader(hub: hub, folder: configuration.rules, logger: logger)
        var group = ServiceGroupConfiguration(
            services: [server, hub.scheduler, hub.timers, hub.compiler, hub.backtests, reloader],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        group.maximumGracefulShutdownDuration = Limits.drainTimeout + Limits.runDrainTimeout
        try await ServiceGroup(configuration: group).run()
    }

    /// Applies the folder as the whole truth for documents owned by files.
    static func applyFolder(_ folder: String, to hub: Hub, logger: Logger) async throws {
        let applied: AppliedDocuments
        do {
            // A folder without documents is most often the wrong one. Where all of them were taken over, it is meant.
            let isMeantEmpty = try !hub.hasFileDocuments && hub.hasDocuments && DocumentFiles.list(folder).isEmpty
            let files = isMeantEmpty ? [] : try DocumentFiles.read([folder])
            applied = try await hub.applyDocuments(files, owner: .file, by: .hub)
            await hub.note(RulesFolder(path: folder, error: nil))
        } catch {
            await hub.note(RulesFolder(path: folder, error: (error as? BelfryError)?.message ?? "\(error)"))
            throw error
        }
        for warning in applied.warnings { logger.warning("\(warning)") }
        let plan = applied.plan
        logger.notice(
            "documents applied",
            metadata: [
                "created": "\(names(plan.created))",
                "changed": "\(names(plan.changed))",
                "removed": "\(names(plan.removed))",
                "unchanged": "\(plan.unchanged)",
            ]
        )
    }

    private static func names(_ documents: [DocumentName]) -> String {
        let named = documents.prefix(Limits.changesNamedMax).map(\.description).joined(separator: " ")
        return named
            + (documents.count > Limits.changesNamedMax ? " and \(documents.count - Limits.changesNamedMax) more" : "")
    }
}

/// SIGHUP: applies the rules folder anew and reads secrets anew. What fails leaves everything as it was.
struct Reloader: Service {
    let hub: Hub
    let folder: String?
    let logger: Logger

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            do {
                if let folder { try await Composition.applyFolder(folder, to: hub, logger: logger) }
                try await hub.reload()
            } catch {
                logger.error("a reload failed, everything stays as it was", metadata: ["error": "\(error)"])
            }
        }
        // The last service is the first to hear of the shutdown: from now on no load balancer should send us more.
        hub.beginDraining()
    }
}
