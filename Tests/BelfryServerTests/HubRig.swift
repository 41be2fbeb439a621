import BelfryCore
import BelfryEngine
import BelfryServer
import BelfryStore
import Foundation
import Logging
import ServiceLifecycle

/// A whole server with a data folder of its own, on a free port.
struct HubRig: Sendable {
    let port: Int
    let hub: Hub
    let group: ServiceGroup
    let admin: String
    let viewer: String

    static let documents = """
        source: plant
        preset: none
        ---
        source: repo
        preset: hmac
        secret: generate
        body_max: 100000
        signature: { header: x-signature }
        ---
        agent: talker
        kind: echo
        words_per_second: 500
        ---
        rule: talk
        about: Says something about every reading.
        when: { source: [plant], data: { speak: [true] } }
        run: { steps: [ { step: say, agent: talker, prompt: "reading {{data.n}} has come in and is fine" } ] }
        """

    static func run(
        clock: WallClock = .system, configure: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (HubRig) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "belfry-server-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let secrets = SecretResolver(allowedEnvironment: [], allowedFiles: [])
        var hubConfiguration = HubConfiguration(folder: folder, secrets: secrets)
        hubConfiguration.clock = clock
        let hub = try await Hub.open(hubConfiguration, logger: logger)
        _ = try await hub.applyDocuments([(path: "test.yaml", text: documents)], by: .hub)
        let admin = try await hub.createToken(name: "root", role: .admin, by: .hub).secret.text
        let viewer = try await hub.createToken(name: "eye", role: .viewer, by: .hub).secret.text

        var configuration = ServerConfiguration()
        configuration.port = 0
        configure(&configuration)
        let (ports, portSink) = AsyncStream<Int>.makeStream()
        let server = HTTPServer(hub: hub, configuration: configuration, logger: logger) { portSink.yield($0) }
        let group = ServiceGroup(services: [server, hub.scheduler, hub.backtests], logger: logger)
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    defer { portSink.finish() }
                    try await group.run()
                }
                var iterator = ports.makeAsyncIterator()
                guard let port = await iterator.next() else { return try await tasks.waitForAll() }
                let rig = HubRig(port: port, hub: hub, group: group, admin: admin, viewer: viewer)
                do {
                    try await body(rig)
                } catch {
                    tasks.cancelAll()
                    throw error
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        } catch {
            await hub.close()
            throw error
        }
        await hub.close()
    }

    struct Answer {
        var status: Int
        var head: String
        var body: String

        var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
    }

    /// One request on a connection of its own.
    func send(
        _ method: String, _ path: String, token: String? = nil, headers: String = "", body: String = ""
    ) async throws -> Answer {
        let client = try await RawClient.connect(port: port)
        let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        try await client.send(
            "\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(authorization)\(headers)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        let text = await client.readToEnd()
        await client.close()
        let parts = text.firstRange(of: "\r\n\r\n")
        return Answer(
            status: Int(text.dropFirst(9).prefix(3)) ?? 0,
            head: parts.map { String(text[..<$0.lowerBound]) } ?? text,
            body: parts.map { String(text[$0.upperBound...]) } ?? ""
        )
    }

    /// Opens a stream and leaves it open.
    func open(_ path: String, token: String? = nil, headers: String = "") async throws -> RawClient {
        let client = try await RawClient.connect(port: port)
        try await client.send(
            "GET \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token ?? viewer)\r\n\(headers)\r\n"
        )
        return client
    }

    /// Delivers a reading that starts a run.
    func startRun(_ number: Int = 1) async throws -> String {
        let answer = try await send("POST", "/hooks/plant", body: #"{"speak":true,"n":\#(number)}"#)
        return answer.json["runs"]?.array?.first?.string ?? ""
    }

    func waitForEnd(of run: String) async throws {
        while try await send("GET", "/v1/runs/\(run)", token: viewer).json["ended"]?.string == nil {
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
