import BelfryCore
import Foundation
import Testing

/// A real proxy between the clients and the hub, as it comes and as it is shipped.
@Suite(.timeLimit(.minutes(3))) struct ProxyTests {
    private static let words = (0..<60).map { "word\($0)" }.joined(separator: " ")
    /// Three seconds of text, a word at a time.
    private static let documents = Documents.github(wordsPerSecond: 20, prompt: words)

    private func run(_ hub: HubProcess, id: String = "n") async throws -> String {
        try #require(try await hub.deliver(7, id: id).json["runs"]?.array?.first?.string)
    }

    private func delta(_ block: RawStream.Block) -> String? {
        guard block.frame["type"]?.string == "TEXT_MESSAGE_CONTENT" else { return nil }
        return block.frame["data"]?["delta"]?.string
    }

    @Test("tokens arrive one by one, while the run is at work", arguments: ReverseProxy.Kind.allCases)
    func tokens(kind: ReverseProxy.Kind) async throws {
        let words = (0..<12).map { "word\($0) " }
        let seen = ScriptedProvider.Turnstile()
        // A word is not said before the one ahead of it was seen: what is held back on the way never comes.
        let provider = try ScriptedProvider(words.flatMap { [.text($0), .wait(seen)] })
        defer { provider.stop() }
        try await withHub(documents: Documents.asking(provider)) { hub in
            let proxy = try await ReverseProxy.start(kind, hub: hub.port)
            defer { proxy.stop() }
            let run = try await run(hub)
            let stream = try await proxy.client(try hub.adminToken).stream("/v1/runs/\(run)/stream?after=0")
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
        arguments: ReverseProxy.Kind.allCases)
    func resume(kind: ReverseProxy.Kind) async throws {
        try await withHub(documents: Self.documents) { hub in
            let proxy = try await ReverseProxy.start(kind, hub: hub.port)
            defer { proxy.stop() }
            let run = try await run(hub)
            let client = proxy.client(try hub.adminToken)
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

    @Test("a hub that is killed is a reconnect for the client behind a proxy", arguments: ReverseProxy.Kind.allCases)
    func cutUpstream(kind: ReverseProxy.Kind) async throws {
        let port = try RawSocket.freePort()
        try await HubProcess.start(documents: Self.documents, arguments: ["--port", "\(port)"]).use { hub in
            let proxy = try await ReverseProxy.start(kind, hub: hub.port)
            defer { proxy.stop() }
            let client = proxy.client(try hub.adminToken)
            let stream = try await client.stream("/v1/stream?topic=source/github&after=0")
            _ = try await hub.deliver(1, id: "before")
            let before = try #require(try await stream.blocks { $0.frame["type"]?.string == "EVENT" }.last)
            try await hub.kill9()
            while try await stream.next() != nil {}
            #expect([502, 503].contains(try await client.request("GET", "/v1/status").status))
            try await hub.restart()
            _ = try await hub.deliver(2, id: "after")
            let resumed = try await eventually("the proxy to reach the hub again") {
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
        arguments: ReverseProxy.Kind.allCases)
    func largeDelivery(kind: ReverseProxy.Kind) async throws {
        try await withHub(documents: Self.documents) { hub in
            let proxy = try await ReverseProxy.start(kind, hub: hub.port)
            defer { proxy.stop() }
            // nginx's own bound is 1 MiB; the shipped configuration leaves it to the hub (10 MiB).
            let size = kind == .plainNginx ? 900_000 : 9_000_000
            let title = String(repeating: "x", count: size)
            let body = Array(#"{"action":"closed","issue":{"number":1,"title":"\#(title)"}}"#.utf8)
            let headers = Documents.signedHeaders(body, delivery: "large")
            let answer = try await proxy.client(nil).request("POST", "/hooks/github", headers: headers, body: body)
            #expect(answer.status == 202)
            let again = try await proxy.client(nil).request("POST", "/hooks/github", headers: headers, body: body)
            #expect(again.json["status"]?.string == "duplicate")
        }
    }

    @Test("a viewer that goes away is gone for the hub too", arguments: ReverseProxy.Kind.allCases)
    func disconnect(kind: ReverseProxy.Kind) async throws {
        try await withHub(documents: Self.documents) { hub in
            try await ReverseProxy.with(kind, hub) { proxy in
                let stream = try await proxy.client(try hub.adminToken).stream("/v1/stream?topic=runs")
                _ = try await stream.next()
                #expect(try await openStreams(hub) == 1)
                stream.close()
                _ = try await eventually(within: .seconds(20), "the hub to see it") {
                    try await openStreams(hub) == 0 ? true : nil
                }
            }
        }
    }

    private func openStreams(_ hub: HubProcess) async throws -> Int? {
        let metrics = try await hub.client.request("GET", "/metrics").text
        return metrics.firstMatch(of: #/belfry_streams_open (\d+)/#).flatMap { Int($0.1) }
    }

    @Test("as it comes nginx passes no upgrade on, and the hub says so: 426")
    func plainUpgrade() async throws {
        try await withHub(documents: Self.documents) { hub in
            let proxy = try await ReverseProxy.start(.plainNginx, hub: hub.port)
            defer { proxy.stop() }
            let headers = [
                ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ]
            let answer = try await proxy.client(try hub.adminToken).request("GET", "/v1/ws", headers: headers)
            #expect(answer.status == 426)
            #expect(answer.json["status"]?.number?.int64 == 426)
            #expect(answer.header("upgrade")?.lowercased() == "websocket")
            let listening = try Listening.start(proxy.url, token: try hub.adminToken)
            #expect(try await listening.process.end() == 1)
            #expect(listening.process.errors.contains("pgrade"))
        }
    }
}
