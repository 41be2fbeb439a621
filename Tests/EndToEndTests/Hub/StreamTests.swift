import BelfryCore
import Testing

/// The event streams of the real binary.
@Suite(.timeLimit(.minutes(3))) struct StreamTests {
    private func started(_ hub: HubProcess) async throws -> String {
        let response = try await hub.deliver(7, id: "s")
        return try #require(response.json["runs"]?.array?.first?.string)
    }

    /// What a reader can rely on: the lines of each block but for `retry:` and comments.
    private func lines(_ blocks: [RawStream.Block]) -> [[String]] {
        blocks.map { $0.lines.filter { $0.hasPrefix("id:") || $0.hasPrefix("data:") } }.filter { !$0.isEmpty }
    }

    private func text(_ blocks: [RawStream.Block]) -> String {
        blocks.reduce(into: "") { text, block in
            if block.frame["type"]?.string == "TEXT_MESSAGE_CONTENT" {
                text += block.frame["data"]?["delta"]?.string ?? ""
            }
        }
    }

    @Test("a stream that is cut after any frame and resumed with its last id has the same lines as an uncut one")
    func resume() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let run = try await started(hub)
            let client = try hub.client
            let path = "/v1/runs/\(run)/stream?after=0"
            let whole = lines(try await client.stream(path).blocks())
            #expect(whole.count > 8)
            for cut in 1..<whole.count {
                let stream = try await client.stream(path)
                var seen: [RawStream.Block] = []
                while lines(seen).count < cut, let block = try await stream.next() { seen.append(block) }
                stream.close()
                let last = try #require(seen.compactMap(\.id).last)
                let resumed = try await client.stream(path, headers: [("Last-Event-ID", last)])
                if resumed.status == 204 {
                    #expect(cut == whole.count)
                    continue
                }
                #expect(lines(seen) + lines(try await resumed.blocks()) == whole, "cut after \(cut)")
            }
        }
    }

    @Test("positions only grow, and the frames come as they were committed")
    func order() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let run = try await started(hub)
            let blocks = try await hub.client.stream("/v1/runs/\(run)/stream?after=0").blocks()
            let positions = blocks.compactMap { $0.frame["position"]?.number?.int64 }
            #expect(positions == positions.sorted())
            #expect(Set(positions).count == positions.count)
            let types = blocks.compactMap { $0.frame["type"]?.string }
            #expect(types.first == "RUN_STATE" || types.first == "RUN_STARTED")
            #expect(types.last == "RUN_FINISHED")
        }
    }

    @Test("a late viewer's snapshot and what follows it give the same text as the whole stream")
    func snapshot() async throws {
        let seen = ScriptedProvider.Turnstile()
        let words = (0..<40).map { "word\($0) " }
        let provider = try ScriptedProvider(
            words.prefix(12).map { .text($0) } + [.wait(seen)] + words.dropFirst(12).map { .text($0) })
        defer { provider.stop() }
        try await withHub(documents: Documents.asking(provider)) { hub in
            let run = try await started(hub)
            let client = try hub.client
            let early = try await client.stream("/v1/runs/\(run)/stream?after=0")
            _ = try await early.blocks { $0.frame["data"]?["delta"]?.string?.contains("word11 ") == true }
            early.close()
            let stream = try await client.stream("/v1/runs/\(run)/stream")
            let first = try await stream.blocks { $0.frame["type"]?.string == "SNAPSHOT" }
            seen.letPass()
            let late = try await stream.blocks()
            let snapshot = try #require(first.last)
            let soFar = snapshot.frame["data"]?["steps"]?.array?.first?["text"]?.string ?? ""
            #expect(soFar == words.prefix(12).joined())
            #expect(soFar + text(late) == words.joined())
        }
    }

    @Test("an ended run is replayed and closed, a reconnect at its end gets 204, an unknown one 404")
    func ended() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let run = try await started(hub)
            _ = try await hub.allRunsEnded()
            let client = try hub.client
            let blocks = try await client.stream("/v1/runs/\(run)/stream?after=0").blocks()
            let last = try #require(blocks.compactMap(\.id).last)
            let again = try await client.request("GET", "/v1/runs/\(run)/stream", headers: [("Last-Event-ID", last)])
            #expect(again.status == 204)
            let unknown = try await client.request("GET", "/v1/runs/run_00000000000000000000000000/stream")
            #expect(unknown.status == 404)
            #expect(unknown.json["code"]?.string == "not_found")
        }
    }

    @Test("garbage in Last-Event-ID is told, and hurts nobody")
    func garbage() async throws {
        try await withHub(documents: Documents.github(wordsPerSecond: 40)) { hub in
            let client = try hub.client
            let stream = try await client.stream(
                "/v1/stream?topic=run/*", headers: [("Last-Event-ID", "'; DROP TABLE frames")])
            #expect(stream.status == 200)
            let block = try #require(try await stream.next())
            #expect(block.frame["type"]?.string == "GAP")
            #expect(block.id == nil)
            let snapshot = try #require(try await stream.next())
            #expect(snapshot.frame["type"]?.string == "SNAPSHOT")
            #expect(snapshot.id != nil)
            _ = try await started(hub)
            let live = try await stream.blocks { $0.frame["type"]?.string == "RUN_FINISHED" }
            #expect(live.last?.frame["type"]?.string == "RUN_FINISHED")
        }
    }

    @Test("one stream carries several topics, each frame once")
    func topics() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let client = try hub.client
            let stream = try await client.stream(
                "/v1/stream?topic=run/*&topic=runs&topic=rule/triage&topic=source/github&after=0")
            let run = try await started(hub)
            let blocks = try await stream.blocks { $0.frame["type"]?.string == "RUN_FINISHED" }
            let positions = blocks.compactMap { $0.frame["position"]?.number?.int64 }
            #expect(Set(positions).count == positions.count)
            #expect(blocks.contains { $0.frame["type"]?.string == "EVENT" })
            #expect(blocks.contains { $0.frame["run"]?.string == run })
        }
    }

    @Test("streams want a token")
    func authentication() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let response = try await RawClient(port: hub.port, token: nil).request("GET", "/v1/stream?topic=runs")
            #expect(response.status == 401)
            #expect(response.header("www-authenticate") != nil)
        }
    }
}
