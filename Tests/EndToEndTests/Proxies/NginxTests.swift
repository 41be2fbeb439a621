import BelfryCore
import Foundation
import Testing

/// A real nginx between the clients and the hub.
@Suite(.enabled(if: Nginx.isInstalled, "nginx is not installed"), .timeLimit(.minutes(3))) struct NginxTests {
    private static let words = (0..<60).map { "word\($0)" }.joined(separator: " ")
    /// Three seconds of text, a word at a time.
    private static let documents = Documents.github(wordsPerSecond: 20, prompt: words)

    enum Configuration: CaseIterable {
        case plain, shipped
        func start(_ hub: HubProcess) async throws -> Nginx {
            switch self {
            case .plain: try await .plain(hub: hub.port)
            case .shipped: try await .shipped(hub: hub.port)
            }
        }
    }

    private func run(_ hub: HubProcess, id: String = "n") async throws -> String {
        try #require(try await hub.deliver(7, id: id).json["runs"]?.array?.first?.string)
    }

    private func delta(_ block: RawStream.Block) -> String? {
        guard block.frame["type"]?.string == "TEXT_MESSAGE_CONTENT" else { return nil }
        return block.frame["data"]?["delta"]?.string
    }

    @Test("tokens arrive one by one, while the run is at work", arguments: Configuration.allCases)
    func tokens(configuration: Configuration) async throws {
        let words = (0..<12).map { "word\($0) " }
        let seen = ScriptedProvider.Turnstile()
        // A word is not said before the one ahead of it was seen: what is held back on the way never comes.
        let provider = try ScriptedProvider(words.flatMap { [.text($0), .wait(seen)] })
        defer { provider.stop() }
        try await withHub(documents: Documents.asking(provider)) { hub in
            let nginx = try await configuration.start(hub)
            defer { nginx.stop() }
            let run = try await run(hub)
            let stream = try await nginx.client(try hub.adminToken).stream("/v1/runs/\(run)/stream?after=0")
            var heard: [String] = []
            while let block = try await stream.next() {
                guard let delta = delta(block) else { continue }
                let state = try await hub.client.request("GET", "/v1/runs/\(run)").json["state"]?.string
                #expect(state == "running", "at \(delta)")
                heard.append(delta)
                seen.letPass()
            }
            #expect(heard == words)
        }
    }

    @Test(
        "a stream that is cut resumes behind the last id, without a gap or a repetition",
        arguments: Configuration.allCases)
    func resume(configuration: Configuration) async throws {
        try await withHub(documents: Self.documents) { hub in
            let nginx = try await configuration.start(hub)
            defer { nginx.stop() }
            let run = try await run(hub)
            let client = nginx.client(try hub.adminToken)
            let path = "/v1/runs/\(run)/stream?after=0"
            let stream = try await client.stream(path)
            var count = 0
            let begin = try await stream.blocks { block in
                count += delta(block) == nil ? 0 : 1
                return count == 10
            }
            stream.close()
            let last = try #require(begin.compactMap(\.id).last)
            let rest = try await client.stream(path, headers: [("Last-Event-ID", last)]).blocks()
            #expect((begin + rest).compactMap(delta).joined() == Self.words)
            let ids = (begin + rest).compactMap(\.id).compactMap { Int($0) }
            #expect(ids == ids.sorted() && Set(ids).count == ids.count)
        }
    }

    @Test("a hub that is killed is a reconnect for the client behind nginx", arguments: Configuration.allCases)
    func cutUpstream(configuration: Configuration) async throws {
        let port = try RawSocket.freePort()
        try await HubProcess.start(documents: Self.documents, arguments: ["--port", "\(port)"]).use { hub in
            let nginx = try await configuration.start(hub)
            defer { nginx.stop() }
            let client = nginx.client(try hub.adminToken)
            let stream = try await client.stream("/v1/stream?topic=source/github&after=0")
            _ = try await hub.deliver(1, id: "before")
            let before = try #require(try await stream.blocks { $0.frame["type"]?.string == "EVENT" }.last)
            try await hub.kill9()
            while try await stream.next() != nil {}
            #expect(try await client.request("GET", "/v1/status").status == 502)
            try await hub.restart()
            _ = try await hub.deliver(2, id: "after")
            let resumed = try await eventually("nginx to reach the hub again") {
                let stream = try await client.stream(
                    "/v1/stream?topic=source/github", headers: [("Last-Event-ID", try #require(before.id))])
                return stream.status == 200 ? stream : nil
            }
            let after = try #require(try await resumed.blocks { $0.frame["type"]?.string == "EVENT" }.last)
            #expect(after.frame["data"]?["event"]?.string != before.frame["data"]?["event"]?.string)
        }
    }

    @Test(
        "deliveries with large bodies pass, verified over the bytes as they were sent",
        arguments: Configuration.allCases)
    func largeDelivery(configuration: Configuration) async throws {
        try await withHub(documents: Self.documents) { hub in
            let nginx = try await configuration.start(hub)
            defer { nginx.stop() }
            // nginx's own bound is 1 MiB; the shipped configuration leaves it to the hub (10 MiB).
            let size = configuration == .plain ? 900_000 : 9_000_000
            let title = String(repeating: "x", count: size)
            let body = Array(#"{"action":"closed","issue":{"number":1,"title":"\#(title)"}}"#.utf8)
            let headers = Documents.signedHeaders(body, delivery: "large")
            let answer = try await nginx.client(nil).request("POST", "/hooks/github", headers: headers, body: body)
            #expect(answer.status == 202)
            let again = try await nginx.client(nil).request("POST", "/hooks/github", headers: headers, body: body)
            #expect(again.json["status"]?.string == "duplicate")
        }
    }

    @Test("as it comes nginx passes no upgrade on, and the hub says so: 426")
    func plainUpgrade() async throws {
        try await withHub(documents: Self.documents) { hub in
            let nginx = try await Nginx.plain(hub: hub.port)
            defer { nginx.stop() }
            let headers = [
                ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ]
            let answer = try await nginx.client(try hub.adminToken).request("GET", "/v1/ws", headers: headers)
            #expect(answer.status == 426)
            #expect(answer.json["status"]?.number?.int64 == 426)
            #expect(answer.header("upgrade")?.lowercased() == "websocket")
            let listening = try Listening.start(nginx.url, token: try hub.adminToken)
            #expect(try await listening.process.end() == 1)
            #expect(listening.process.errors.contains("pgrade"))
        }
    }
}
