import BelfryCore
import Foundation
import Testing

/// `belfry events replay` against a real hub.
@Suite(.timeLimit(.minutes(2)))
struct ReplayTests {
    private static let documents = Documents.plant("preset: none")

    private func post(_ celsius: Int, to hub: HubProcess) async throws -> String {
        let answer = try await hub.client.request("POST", "/hooks/plant", json: ["celsius": .int(celsius)])
        return try #require(answer.json["event"]?.string, "\(answer.text)")
    }

    @Test("events stored while a source was paused start when they are replayed, all of them or by id")
    func paused() async throws {
        try await withHub(documents: Self.documents) { hub in
            #expect(try await hub.belfry("sources", "pause", "plant").code == 0)
            var events: [String] = []
            for celsius in [91, 95, 20] { events.append(try await post(celsius, to: hub)) }
            #expect(try await hub.client.request("GET", "/v1/runs").json["items"]?.array?.isEmpty == true)
            let still = try await hub.belfry("events", "replay", events[0])
            #expect(still.code == 0 && still.output.contains("hot-pump paused"), "\(still)")
            #expect(try await hub.belfry("sources", "resume", "plant").code == 0)

            let all = try await hub.belfry("events", "replay", "--source", "plant", "--last", "1h")
            #expect(all.code == 0 && all.errors.isEmpty, "\(all)")
            #expect(all.output == "replayed 3 events: 2 started, 1 without a match; 2 runs\n")
            #expect(try await hub.allRunsEnded().count == 2)
            let none = try await hub.belfry("events", "replay", "--source", "plant")
            #expect(none.code == 0 && none.output.hasPrefix("no event is stored that fits"), "\(none)")

            let again = try await hub.belfry("events", "replay", events[0], "--rule", "hot-pump", "--output", "json")
            #expect(again.json["items"]?.array?.first?["runs"]?.array?.count == 1, "\(again)")
            let why = try await hub.belfry("events", "why", events[0])
            #expect(why.output.contains("hot-pump: paused") && why.output.contains("hot-pump: started"), "\(why)")
            let audit = try await hub.belfry("audit", "tail", "--output", "json")
            #expect(audit.output.contains("event.replayed"))
        }
    }

    @Test("what matches nothing, is not there or is switched off says so, with exit code 1")
    func negative() async throws {
        try await withHub(documents: Self.documents) { hub in
            let cold = try await post(20, to: hub)
            let nothing = try await hub.belfry("events", "replay", cold)
            #expect(nothing.code == 1 && nothing.output.contains("no rule matches"), "\(nothing)")
            let lost = try await hub.belfry("events", "replay", cold, "evt_01h455vb4pex5vsknk084sn02q")
            #expect(lost.code == 1 && lost.errors.contains("there is no event"), "\(lost)")
            let odd = try await hub.belfry("events", "replay", cold, "--rule", "nope")
            #expect(odd.code == 1 && odd.errors.contains("there is no rule nope"), "\(odd)")
            _ = try await hub.belfry("rules", "disable", "hot-pump")
            let off = try await hub.belfry("events", "replay", cold, "--rule", "hot-pump")
            #expect(off.code == 1 && off.errors.contains("switched off"), "\(off)")
            for arguments in [["events", "replay"], ["events", "replay", cold, "--source", "plant"]] {
                let environment = ["BELFRY_URL": hub.url, "BELFRY_DATA": hub.dataFolder]
                #expect(
                    try await CommandResult.of(arguments, environment: environment, in: hub.folder).code == 2,
                    "\(arguments)")
            }
            let viewer = try await hub.belfry("tokens", "create", "v", "--output", "json").json["token"]?.string
            #expect(try await hub.belfry("events", "replay", cold, "--token", viewer ?? "").code == 4)
        }
    }
}
