import BelfryCore
import Testing

@testable import belfry

@Suite(.timeLimit(.minutes(3)))
struct EventStreamTests {
    private func block(_ position: Int) -> ScriptedProvider.Action {
        .raw("id: \(position)\ndata: {\"position\":\(position)}\n\n")
    }

    private func follow(_ hub: ScriptedProvider, until last: Int64) async throws -> [Int64] {
        let client = APIClient(url: "http://127.0.0.1:\(hub.port)", token: "t")
        var seen: [Int64] = []
        try await EventStream(client: client, path: "/v1/stream", query: [("topic", "runs")]).follow { frame in
            let position = frame["position"]?.number?.int64 ?? -1
            seen.append(position)
            return position == last ? .enough : .goOn
        }
        return seen
    }

    @Test("a stream that is cut goes on behind the last frame")
    func resumes() async throws {
        let hub = try ScriptedProvider([block(1), block(2), .cut], [.cut], [block(3), .hang])
        #expect(try await follow(hub, until: 3) == [1, 2, 3])
        let heads = hub.exchanges.map { $0.head.lowercased() }
        #expect(heads.count == 3)
        #expect(!heads[0].contains("last-event-id"))
        #expect(heads[1].contains("last-event-id: 2") && heads[2].contains("last-event-id: 2"))
    }

    @Test("a hub that stops is asked again when it has said")
    func waits() async throws {
        let closing = #"data: {"position":1,"type":"CLOSING","data":{"reason":"server_shutdown","retry_ms":1500}}"#
        let hub = try ScriptedProvider([block(1), .raw("retry: 1500\n\(closing)\n\n"), .cut], [block(2), .hang])
        let start = ContinuousClock.now
        #expect(try await follow(hub, until: 2) == [1, 1, 2])
        #expect(start.duration(to: .now) > .milliseconds(1490))
    }

    @Test("204 means that nothing follows")
    func ends() async throws {
        let hub = try ScriptedProvider([block(1), .cut], [.status(204, "")])
        #expect(try await follow(hub, until: 9) == [1])
    }

    @Test("what the hub refuses is not tried again")
    func refused() async throws {
        let hub = try ScriptedProvider([.status(404, #"{"detail":"no such run","code":"not_found"}"#)])
        let failure = await #expect(throws: Failure.self) { try await follow(hub, until: 1) }
        #expect(failure?.code == .negative)
        #expect(failure?.message == "no such run (not_found)")
        #expect(hub.exchanges.count == 1)
    }

    @Test("a hub that was never there is unreachable, with exit code 3")
    func unreachable() async throws {
        let hub = try ScriptedProvider([.cut])
        hub.stop()
        let failure = await #expect(throws: Failure.self) { try await follow(hub, until: 1) }
        #expect(failure?.code == .unreachable)
    }
}
