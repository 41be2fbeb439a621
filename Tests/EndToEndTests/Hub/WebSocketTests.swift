import BelfryCore
import Testing

/// The WebSocket of the real binary.
@Suite(.timeLimit(.minutes(3))) struct WebSocketTests {
    @Test("frames are the bytes of the event stream's, also after kill -9 and a resume")
    func sameAsStream() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let posted = try await hub.deliver(7, id: "s")
            let run = try #require(posted.json["runs"]?.array?.first?.string)
            let first = try await RawWebSocket(port: hub.port, token: try hub.adminToken)
            try first.call("subscribe", ["topics": [.string("run/\(run)")], "after": 0])
            _ = try await first.answer()
            let frames = try await first.frames(through: "RUN_FINISHED")
            let path = "/v1/runs/\(run)/stream?after=0"
            let blocks = try await hub.client.stream(path).blocks().compactMap(\.data)
            #expect(frames == blocks)
            #expect(frames.count > 8)
            try await hub.kill9()
            try await hub.restart()
            let half = try JSONValue(parsing: frames[frames.count / 2])["position"] ?? .null
            let second = try await RawWebSocket(port: hub.port, token: try hub.adminToken)
            try second.call("subscribe", ["topics": [.string("run/\(run)"), "alerts"], "after": half])
            #expect(try await second.answer().json[path: ["result", "position"]] == half)
            #expect(try await second.frames(through: "RUN_FINISHED") == Array(frames[(frames.count / 2 + 1)...]))
            second.close()
        }
    }

    @Test("run.stop is acknowledged when the run has ended, and a server that stops says 1001")
    func stopAndDrain() async throws {
        let words = (0..<2000).map { "word\($0)" }.joined(separator: " ")
        try await withHub(documents: Documents.github(wordsPerSecond: 20, prompt: words)) { hub in
            let client = try await RawWebSocket(port: hub.port, token: try hub.adminToken)
            try client.call("subscribe", ["topics": ["runs", "run/*"]])
            #expect(try await client.answer().frames.count == 1)
            let posted = try await hub.deliver(7, id: "s")
            let run = try #require(posted.json["runs"]?.array?.first?.string)
            _ = try await client.frames(through: "TEXT_MESSAGE_CONTENT")
            try client.call("run.stop", ["run": .string(run)])
            let (answer, _) = try await client.answer()
            #expect(answer[path: ["result", "result"]]?.string == "applied")
            let state = try await hub.client.request("GET", "/v1/runs/\(run)").json["state"]
            #expect(state?.string == "stopped")
            async let code = hub.terminate()
            while try await client.next() != nil {}
            #expect(client.closeCode == 1001)
            try client.send(0x88, [0x03, 0xE9])
            #expect(try await code == 0)
            client.close()
        }
    }
}
