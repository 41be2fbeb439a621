import BelfryCore
import Testing

@testable import belfry

/// The real binary with a real hub.
@Suite(.timeLimit(.minutes(3)))
struct BenchStopTests {
    @Test("every stop is applied, over REST and the WebSocket, and finds its socket closed; all at the end together")
    func hub() async throws {
        try await withHub { hub in
            let result = try await hub.belfry("bench", "stop", "--runs", "4", "--stops", "10", "-o", "json")
            #expect(result.code == 0 && result.errors == "", "\(result)")
            let json = result.json
            #expect(json["stops"] == 10 && json["open_at_answer"] == 0 && json["not_applied"] == 0, "\(json)")
            for key in ["answered", "rest", "websocket", "closed"] {
                #expect((json[key]?["p99_ms"]?.number?.double ?? 0) > 0, "\(key)")
            }
            #expect(json[path: ["together", "runs"]] == 4)
            let states = try await hub.allRunsEnded().map { $0["state"]?.string }
            #expect(states.count == 14 && states.allSatisfy { $0 == "stopped" })
            #expect(try await hub.client.request("GET", "/v1/rules").json["items"]?.array == [])
        }
    }

    @Test("a hub that opens no WebSocket to the token is told of, and nothing is left")
    func refused() async throws {
        try await withHub { hub in
            let viewer = try await hub.belfry("tokens", "create", "eye", "--output", "json").json["token"]?.string
            let result = try await hub.belfry("bench", "stop", "--runs", "2", "--token", try #require(viewer))
            #expect(result.code == 4, "\(result)")
            #expect(try await hub.belfry("bench", "stop", "--runs", "257").code == 2)
        }
    }
}
