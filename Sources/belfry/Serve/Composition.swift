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

        // A wrong certificate is told of before anything begins.
        let tls = try configuration.tls.identity().map { ServerTLS($0) }

        // The store and all that hangs on it: from here on the data folder is ours.
        let hub = try await openHub(configuration, logger: logger)
        do {
            try await start(hub, configuration, tls, logger: logger)
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
        engine.targets = configuration.sendTargets
        engine.agentsMayReachPrivateAddresses = configuration.outbound.allowPrivate
        engine.allowsOtherwiseApprove = configuration.approvals.allowOtherwiseApprove
        engine.slackUsers = configuration.approvals.slackUsers
        engine.isPublic = configuration.publicURL != nil
        engine.publicURL =
            configuration.publicURL
            ?? "\(configuration.tls.cert == nil ? "http" : "https")://\(configuration.host):\(configuration.port)"
        engine.runsRunningMax = configuration.limits.runsRunning
        engine.faultPoint = configuration.crashPoint.map(FaultPoint.init(at:))
        for fault in engine.commands.keys.sorted().compactMap(engine.fault(ofCommand:)) { logger.warning("\(fault)") }
        return try await Hub.open(engine, logger: logger)
    }

    private static func start(
        _ hub: Hub, _ configuration: ServeConfiguration, _ tls: ServerTLS?, logger: Logger
    ) async throws {
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
        edge.tls = tls
        edge.publicURL = configuration.publicURL
        edge.allowedOrigins = configuration.cors.origins.compactMap { WebOrigin($0) }
        edge.connectionsMax = configuration.limits.connections
        edge.testEcho = configuration.hasTestEcho
        if edge.testEcho { logger.warning("/v1/echo is open: a WebSocket for tests, which takes large messages") }
        let codes = edge.signInCodes
        let server = HTTPServer(hub: hub, configuration: edge, logger: logger) { port in
            let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
            let address = "\(tls == nil ? "http" : "https")://\(host):\(port)"
            Terminal.write("belfry is listening on \(address)\n")
            // Whoever sees this terminal started the hub. A file or a journal is read by others.
            if Terminal.isInteractive, let code = try? codes.make(for: .hub, at: WallClock.system.now()).code {
                let base = configuration.publicURL ?? address
                Terminal.write("open \(SignInCodes.link(base: base, code)) (works once, for 15 minutes)\n")
            }
            logger.notice(
                "belfry serves",
                metadata: ["version": "\(Version.text)", "data": "\(configuration.data)", "port": "\(port)"]
            )
        }

        // Services stop in reverse order: runs drain first, then streams and requests end.
        let reloader = Reloader(
            hub: hub, folder: configuration.rules, tls: tls, tlsFiles: configuration.tls, logger: logger)
        var services: [any Service] = [
            server, hub.scheduler, hub.timers, hub.compiler, hub.backtests, hub.slackAnswers,
        ]
        if let tls { services.append(CertificateWatch(tls: tls, hub: hub, logger: logger)) }
        var group = ServiceGroupConfiguration(
            services: services + [reloader],
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

/// SIGHUP: applies the rules folder anew, and reads secrets, certificate and key anew. What fails stays as it was.
struct Reloader: Service {
    let hub: Hub
    let folder: String?
    let tls: ServerTLS?
    let tlsFiles: ServeConfiguration.TLSFiles
    let logger: Logger

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            do {
                if let folder { try await Composition.applyFolder(folder, to: hub, logger: logger) }
                try await hub.reload()
            } catch {
                logger.error("a reload failed, everything stays as it was", metadata: ["error": "\(error)"])
            }
            await reloadTLS()
        }
        // The last service is the first to hear of the shutdown: from now on no load balancer should send us more.
        hub.beginDraining()
    }

    /// Connections that are open keep the certificate they began with.
    private func reloadTLS() async {
        guard let tls else { return }
        do {
            guard let identity = try tlsFiles.identity() else { return }
            tls.replace(with: identity)
            logger.notice("TLS certificate read", metadata: ["tls.not_after": "\(identity.notAfter)"])
            await CertificateWatch(tls: tls, hub: hub, logger: logger).look()
        } catch {
            tls.keep(because: "\(error)")
            logger.error(
                "the TLS certificate can't be reloaded, the one from before stays", metadata: ["error": "\(error)"])
            await hub.tell(
                Notice(
                    .tls, .error, title: "The TLS certificate can't be reloaded",
                    text: "the one from before stays: \(error)"))
        }
    }
}
