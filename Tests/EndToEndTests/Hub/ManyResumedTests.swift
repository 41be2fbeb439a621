import BelfryCore
import Foundation
import Testing

/// The real binary is killed while an event makes its way through the thousands of runs that waited for it.
@Suite(.timeLimit(.minutes(5))) struct ManyResumedTests {
    private static let documents = """
        source: lab
        preset: none
        ---
        rule: pr
        when: { source: [lab], data: { kind: [opened] } }
        limits: { concurrency: 256, runs_per_hour: 1000000 }
        run: { steps: [ { step: merged, wait: { for: { source: [lab], data: { kind: [merged] } }, by: [data.pr], within: 1h } } ] }
        """

    /// Several turns' worth.
    private static let count = 3 * Limits.resumedRunsWokenMax

    /// Reads the states of runs until so many have come to one of these. - Returns: the frames up to there.
    private func frames(_ hub: HubProcess, until count: Int, _ isThere: (JSONValue) -> Bool) async throws -> [JSONValue]
    {
        let stream = try await hub.client.stream("/v1/stream?topic=runs&after=0")
        defer { stream.close() }
        var left = count
        return try await stream.blocks { block in
            if isThere(block.frame) { left -= 1 }
            return left == 0
        }.map(\.frame)
    }

    @Test("each of them goes on once with that event, whatever it had heard of it when the hub died")
    func killed() async throws {
        let hub = try await HubProcess.start(documents: Self.documents)
        try await hub.use { hub in
            let lines = (0..<Self.count).map { #"{"kind":"opened","pr":7,"n":\#($0)}"# }
            let posted = try await hub.client.request(
                "POST", "/hooks/lab", headers: [("Content-Type", "application/x-ndjson")],
                body: Array(lines.joined(separator: "\n").utf8))
            #expect(posted.status == 202, "\(posted.json.text)")
            _ = try await frames(hub, until: Self.count) {
                $0["type"] == "RUN_STATE" && $0["data"]?["state"] == "waiting"
            }
            let merged = try await hub.client.request("POST", "/hooks/lab", json: ["kind": "merged", "pr": 7])
            let event = try #require(merged.json["event"]?.string)
            try await hub.kill9()
            try await hub.restart()
            // It is theirs: this one comes too late for all of them.
            let late = try await hub.client.request("POST", "/hooks/lab", json: ["kind": "merged", "pr": 7])
            #expect(late.json["status"] == "filtered", "\(late.json.text)")
            let all = try await frames(hub, until: Self.count) {
                ["RUN_FINISHED", "RUN_ERROR"].contains($0["type"]?.string)
            }
            let told = Dictionary(grouping: all) { $0["run"]?.string ?? "" }
            #expect(told.count == Self.count)
            for frames in told.values {
                let data = { (type: String) in frames.filter { $0["type"]?.string == type }.map { $0["data"] ?? .null }
                }
                #expect(data("STEP_FINISHED").map { $0["event"]?.string } == [event])
                #expect(data("RUN_FINISHED").map { $0["state"]?.string } == ["succeeded"])
            }
            let why = try await hub.client.request("GET", "/v1/events/\(event)/why").json
            let detail = why["matches"]?.array?.first?["detail"]?.string
            #expect(detail?.hasSuffix("and \(Self.count - Limits.resumedRunsTold) more runs") == true, "\(why.text)")
            #expect(try await hub.belfry("audit", "verify").code == 0)
        }
    }
}
