import BelfryCore
import Testing

/// The real binary against servers that do wrong, and against the hub.
@Suite(.timeLimit(.minutes(3)))
struct BenchFanoutTests {
    private func bench(_ arguments: [String]) async throws -> CommandResult {
        try await CommandResult.of(["bench", "fanout"] + arguments, in: try TemporaryFolder())
    }

    private func counts(_ result: CommandResult, _ names: [String]) -> [Int64] {
        names.compactMap { result.json[$0]?.number?.int64 }
    }

    @Test(
        "what a server does wrong is counted and said by the exit code",
        arguments: [
            (ScriptedFanout.Fault.none, [10, 0, 0, 0, 0]), (.lose, [9, 1, 0, 0, 0]), (.double, [10, 0, 1, 0, 0]),
            (.reorder, [10, 0, 0, 1, 0]), (.unfinished, [9, 1, 0, 0, 0]), (.close, [5, 5, 0, 0, 1]),
        ] as [(ScriptedFanout.Fault, [Int64])])
    func faults(fault: ScriptedFanout.Fault, expected: [Int64]) async throws {
        let server = try ScriptedFanout(fault)
        let result = try await bench(
            server.options + [
                "--subscribers", "1", "--messages", "10", "--warm-up", "0", "--patience", "1", "-o", "json",
            ])
        #expect(result.errors == "")
        #expect(counts(result, ["deliveries", "lost", "doubled", "reordered", "closed"]) == expected)
        #expect(result.code == (fault == .none ? 0 : 1))
    }

    @Test("publishing that is refused ends it before anything is measured")
    func refused() async throws {
        let server = try ScriptedFanout(.refuse)
        let result = try await bench(server.options + ["--subscribers", "1", "--patience", "1"])
        // The script publishes what it refuses; the hub does not.
        #expect(result.code == 1)
        #expect(result.output.contains("publishes refused"))
        try await withHub { hub in
            let wrong = try await hub.belfry("bench", "fanout", "--token", "wrong", "--subscribers", "2")
            #expect(wrong.code == 4)
            #expect(wrong.errors == "belfry: a subscription was answered with 401 instead of 200\n")
        }
    }

    @Test(
        "a hub loses nothing, over event streams and WebSockets, beside readers that read nothing",
        arguments: [false, true])
    func hub(isWebSocket: Bool) async throws {
        try await withHub { hub in
            let result = try await CommandResult.of(
                [
                    "bench", "fanout", "--subscribers", "20", "--topics", "3", "--publishers", "2", "--messages", "60",
                    "--slow", "2", "--pid", "\(hub.process.id)", "-o", "json",
                ] + (isWebSocket ? ["--ws"] : []),
                environment: ["BELFRY_URL": hub.url, "BELFRY_DATA": hub.dataFolder], in: hub.folder)
            #expect(result.errors == "")
            #expect(result.code == 0)
            #expect(
                counts(result, ["messages", "deliveries", "lost", "doubled", "reordered", "closed"]) == [
                    60, 400, 0, 0, 0, 0,
                ])
            let slow = try #require(result.json["slow"])
            #expect(slow["readers"]?.number?.int64 == 2)
            #expect((slow["bytes_unread"]?.number?.int64 ?? 0) > 40 * 200)
            #expect((result.json["server"]?["memory_bytes"]?.number?.int64 ?? 0) > 1_000_000)
        }
    }

    @Test("at a rate messages go out when they are due, as a person reads it")
    func paced() async throws {
        try await withHub { hub in
            let result = try await hub.belfry(
                "bench", "fanout", "--subscribers", "5", "--rate", "50", "--seconds", "1", "--size", "500")
            #expect(result.code == 0)
            #expect(result.output.contains("50 messages of 500 bytes on 1 topic\n"))
            #expect(result.output.contains("lost 0   doubled 0   reordered 0   closed 0"))
        }
    }

    @Test(
        "options that say nothing together are refused",
        arguments: [
            ["--publishers", "2"], ["--messages", "1", "--seconds", "1"], ["--body", "x"], ["--size", "1"],
            ["--header", "nothing"],
        ])
    func usage(options: [String]) async throws {
        #expect(try await bench(options).code == 2)
    }
}
