import BelfryCore
import Foundation
import Testing

@testable import belfry

/// The real binary with a real hub, and with one that loses a token on the way.
@Suite(.timeLimit(.minutes(3)))
struct BenchTokensTests {
    private static let small = [
        "--runs", "3", "--tokens", "15", "--warm-up", "5", "--dashboards", "6", "--patience", "1", "-o", "json",
    ]

    private func bench(_ hub: HubProcess, url: String? = nil, _ more: [String] = []) async throws -> CommandResult {
        try await CommandResult.of(
            ["bench", "tokens"] + Self.small + more,
            environment: ["BELFRY_URL": url ?? hub.url, "BELFRY_DATA": hub.dataFolder], in: hub.folder)
    }

    private func counts(_ json: JSONValue, _ names: String...) -> [Int64] {
        names.compactMap { json[$0]?.number?.int64 }
    }

    @Test("every token reaches every dashboard of its run once, beside deliveries, and nothing is left but the agent")
    func hub() async throws {
        try await withHub { hub in
            let result = try await bench(hub, ["--ingest", "40", "--pid", "\(hub.process.id)"])
            #expect(result.errors == "")
            #expect(result.code == 0)
            // 21 tokens a run: one at once, five before, fifteen that are timed.
            #expect(
                counts(result.json, "runs", "dashboards", "tokens", "deliveries", "lost", "doubled", "reordered")
                    == [3, 6, 63, 126, 0, 0, 0])
            #expect(counts(result.json, "closed", "unsaid") == [0, 0])
            #expect((result.json["first_token"]?["p50_ms"]?.number?.double ?? 0) > 0)
            #expect((result.json["server"]?["memory_bytes"]?.number?.int64 ?? 0) > 1_000_000)
            let ingest = try #require(result.json["ingest"])
            #expect(counts(ingest, "refused") == [0])
            #expect((ingest["accepted"]?.number?.int64 ?? 0) > 0)
            let client = try hub.client
            for list in ["rules", "sources"] {
                #expect(try await client.request("GET", "/v1/\(list)").json["items"]?.array == [], "\(list)")
            }
            let runs = try await hub.allRunsEnded()
            #expect(runs.map { $0["state"]?.string } == ["succeeded", "succeeded", "succeeded"])
        }
    }

    @Test("a token that does not come is lost, one that comes again is doubled, and the exit code says so")
    func faults() async throws {
        try await withHub { hub in
            let losing = try TamperingProxy(hub: hub.port, pattern: "belfry-bench=[0-9]+,7,") {
                $0.replacing("bench", with: "heard")
            }
            let lost = try await bench(hub, url: losing.url)
            #expect(counts(lost.json, "deliveries", "lost", "doubled", "reordered", "closed") == [125, 1, 0, 0, 0])
            #expect(lost.code == 1)
            let doubling = try TamperingProxy(hub: hub.port, pattern: "belfry-bench=[0-9]+,9,") {
                $0.replacing(",9,", with: ",8,")
            }
            let doubled = try await bench(hub, url: doubling.url)
            #expect(counts(doubled.json, "deliveries", "lost", "doubled", "reordered") == [125, 1, 1, 0])
            #expect(doubled.code == 1)
        }
    }

    @Test("a hub that lets no agent reach this machine is told apart, and left as it was")
    func unreachableProvider() async throws {
        try await withHub(environment: ["BELFRY_OUTBOUND_ALLOW_PRIVATE": "false"]) { hub in
            let result = try await bench(hub)
            #expect(result.code != 0)
            #expect(result.errors.contains("allow_private"), "\(result.errors)")
            #expect(try await hub.client.request("GET", "/v1/rules").json["items"]?.array == [])
        }
    }

    @Test(
        "options that a hub could not follow are refused",
        arguments: [
            ["--runs", "257"], ["--dashboards", "2"], ["--rate", "0"], ["--tokens", "100000"], ["--host", "here"],
            ["--rate", "0.01"],
        ])
    func usage(options: [String]) async throws {
        let folder = try TemporaryFolder()
        let all = ["bench", "tokens", "--token", "x"] + Self.small + options
        #expect(try await CommandResult.of(all, in: folder).code == 2)
    }
}
