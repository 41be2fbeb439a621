import Foundation
import Testing

/// The real binary against a scripted hub.
@Suite(.timeLimit(.minutes(3)))
struct RunWatchTests {
    private func frame(_ position: Int, _ type: String, _ data: String) -> ScriptedProvider.Action {
        .raw("id: \(position)\ndata: {\"position\":\(position),\"type\":\"\(type)\",\"data\":\(data)}\n\n")
    }

    private func watch(_ hub: ScriptedProvider, _ arguments: String...) async throws -> CommandResult {
        let all = ["runs", "watch", "run_x", "--url", "http://127.0.0.1:\(hub.port)", "--token", "t"] + arguments
        return try await CommandResult.of(all, in: try TemporaryFolder())
    }

    @Test("in a pipe the text is alone on stdout, and stderr says why the run failed; nobody is asked a second time")
    func failed() async throws {
        let hub = try ScriptedProvider([
            frame(1, "TEXT_MESSAGE_CONTENT", #"{"step":"s","delta":"Hello"}"#),
            frame(2, "RUN_STATE", #"{"state":"running","reason":"interrupted","attempt":2}"#),
            frame(3, "TEXT_MESSAGE_CONTENT", #"{"step":"s","delta":"Hello again"}"#),
            frame(
                4, "RUN_ERROR",
                #"{"state":"failed","reason":"error","error":{"code":"agent_refused","message":"the provider answered 401"}}"#
            ),
            .hang,
        ])
        let result = try await watch(hub)
        #expect(result.code == 1)
        #expect(result.output == "Hello\nHello again\n")
        #expect(result.errors == "attempt 2 begins anew\nrun_x failed (error): the provider answered 401\n")
        #expect(hub.exchanges.count == 1)
    }

    @Test("a hub that is gone is said once, and so is that it is back")
    func gone() async throws {
        let hub = try ScriptedProvider(
            [frame(1, "RUN_STARTED", "{}"), .cut], [.status(503, "{}")], [.status(503, "{}")],
            [frame(2, "RUN_FINISHED", #"{"state":"succeeded","reason":"completed"}"#), .hang])
        let result = try await watch(hub)
        #expect(result.code == 0)
        #expect(result.errors == "belfry: the hub is gone; trying again\nbelfry: back\n")
    }

    @Test("without a run the next one that begins is watched, to its end; --all shows it by its rule")
    func next() async throws {
        let seen = ScriptedProvider.Turnstile()
        let provider = try ScriptedProvider([.wait(seen), .text("one\n"), .text("two\n")])
        defer { provider.stop() }
        try await withHub(documents: Documents.asking(provider)) { hub in
            let folder = try TemporaryFolder()
            func watch(_ arguments: [String], _ name: String) throws -> ChildProcess {
                try ChildProcess(
                    try BuildProducts.belfry(),
                    ["runs", "watch", "--url", hub.url, "--token", try hub.adminToken] + arguments,
                    outputPath: "\(folder.path)/\(name).out", errorPath: "\(folder.path)/\(name).err")
            }
            let next = try watch([], "next"), all = try watch(["--all"], "all")
            let metrics = #/belfry_streams_open 2/#
            _ = try await eventually("both to watch") {
                try await hub.client.request("GET", "/metrics").text.contains(metrics) ? true : nil
            }
            _ = try await hub.deliver(7, id: "x")
            seen.letPass()
            #expect(try await next.end() == 0)
            #expect(next.output == "one\ntwo\n")
            let lines = try await eventually("both lines") {
                all.output.split(separator: "\n").count >= 2 ? all.output : nil
            }
            #expect(lines.wholeMatch(of: #/triage \w{6}  one\ntriage \w{6}  two\n/#) != nil, "\(lines)")
            #expect(next.errors == "" && all.errors == "")
            all.send(15)
        }
    }
}
