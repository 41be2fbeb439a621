import BelfryCore
import Foundation
import Testing

/// Clients that others wrote, as they are.
@Suite(.timeLimit(.minutes(3))) struct OtherClientsTests {
    private static let words = (0..<60).map { "word\($0)" }.joined(separator: " ")
    private static let documents = Documents.github(wordsPerSecond: 20, prompt: words)

    private func text(_ frames: [JSONValue]) -> String {
        frames.filter { $0["type"]?.string == "TEXT_MESSAGE_CONTENT" }
            .compactMap { $0["data"]?["delta"]?.string }.joined()
    }

    private func run(_ hub: HubProcess) async throws -> String {
        try #require(try await hub.deliver(7, id: "n").json["runs"]?.array?.first?.string)
    }

    @Test("curl -N shows tokens as they come, and resumes with -H Last-Event-ID")
    func curl() async throws {
        let seen = ScriptedProvider.Turnstile()
        // The second half is not said before the first was seen.
        let words = (0..<24).map { "word\($0) " }
        let provider = try ScriptedProvider(
            words.prefix(12).map { .text($0) } + [.wait(seen)] + words.dropFirst(12).map { .text($0) })
        defer { provider.stop() }
        try await withHub(documents: Documents.asking(provider)) { hub in
            let run = try await run(hub)
            let url = "\(hub.url)/v1/runs/\(run)/stream?after=0"
            func curl(_ name: String, _ headers: [String]) throws -> ChildProcess {
                let all = ["Authorization: Bearer \(try hub.adminToken)"] + headers
                return try ChildProcess(
                    "/usr/bin/curl", ["-sSN", "--noproxy", "*"] + all.flatMap { ["-H", $0] } + [url],
                    outputPath: "\(hub.folder.path)/\(name)", errorPath: "\(hub.folder.path)/\(name).err")
            }
            let first = try curl("first", [])
            _ = try await eventually("what was said so far") { first.output.contains("word11 ") ? true : nil }
            let state = try await hub.client.request("GET", "/v1/runs/\(run)").json["state"]?.string
            #expect(state == "running")
            first.send(SIGTERM)
            _ = try await first.end()
            // Whole blocks only, as EventSource would count them.
            var blocks = first.output.components(separatedBy: "\n\n").dropLast()
            let id = try #require(
                blocks.compactMap { RawStream.Block(lines: $0.components(separatedBy: "\n")).id }.last)
            let second = try curl("second", ["Last-Event-ID: \(id)"])
            seen.letPass()
            #expect(try await second.end() == 0)
            blocks += second.output.components(separatedBy: "\n\n")
            let frames = blocks.map { RawStream.Block(lines: $0.components(separatedBy: "\n")).frame }
            #expect(text(frames) == words.joined())
        }
    }

    @Test(
        "httpx-sse reads a run's stream and the multiplexed one, cut and resumed",
        .enabled(if: PythonClient.isInstalled, PythonClient.needsPackages), arguments: [false, true])
    func httpxSSE(isMultiplexed: Bool) async throws {
        try await withHub(documents: Self.documents) { hub in
            let run = try await run(hub)
            let path = isMultiplexed ? "/v1/stream?topic=run/*&topic=runs&after=0" : "/v1/runs/\(run)/stream?after=0"
            let process = try PythonClient.start("sse.py", [hub.url + path, try hub.adminToken, "12"], in: hub.folder)
            #expect(try await process.end() == 0, "\(process.errors)")
            let events = process.jsonLines
            let frames = events.compactMap { $0["frame"] }
            #expect(text(frames) == Self.words)
            #expect(events.allSatisfy { $0["event"]?.string == "message" })
            let positions = frames.compactMap { $0["position"]?.number?.int64 }
            #expect(positions == positions.sorted() && Set(positions).count == positions.count)
        }
    }

    @Test(
        "websockets subscribes, reads frames, stops a run, and hears that the hub stops (1001)",
        .enabled(if: PythonClient.isInstalled, PythonClient.needsPackages))
    func websockets() async throws {
        try await withHub(documents: Self.documents) { hub in
            let run = try await run(hub)
            let url = "ws://127.0.0.1:\(hub.port)/v1/ws"
            let process = try PythonClient.start("ws.py", [url, try hub.adminToken, "run/*"], in: hub.folder)
            let stopped = try await eventually("the answer to run.stop") {
                process.jsonLines.compactMap { $0["message"] }.first { $0["id"]?.number?.int64 == 2 }
            }
            #expect(stopped["result"]?["result"]?.string == "applied")
            _ = try await eventually("the run's last frame") {
                process.jsonLines.contains { $0[path: ["message", "params", "data", "state"]]?.string == "stopped" }
                    ? true : nil
            }
            #expect(try await hub.terminate() == 0)
            #expect(try await process.end() == 0, "\(process.errors)")
            let said = process.jsonLines
            #expect(said.first?["subprotocol"]?.string == "belfry.v1")
            let answers = said.compactMap { $0["message"] }
            #expect(answers.first { $0["id"]?.number?.int64 == 1 }?[path: ["result", "topics"]]?.array?.count == 1)
            #expect(answers.first { $0["id"]?.string == "p" }?[path: ["result", "position"]] != nil)
            #expect(said.last?["code"]?.number?.int64 == 1001)
            let frames = answers.filter { $0["method"]?.string == "frame" }.compactMap { $0["params"] }
            #expect(frames.allSatisfy { $0["run"]?.string == run || $0["type"]?.string == "CLOSING" })
            #expect(Self.words.hasPrefix(text(frames)))
        }
    }
}
