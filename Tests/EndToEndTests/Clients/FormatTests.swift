import BelfryCore
import Foundation
import Testing

/// `?format=` of a run's stream, read by clients that others wrote, as they are.
@Suite(.timeLimit(.minutes(3))) struct FormatTests {
    private func run(_ hub: HubProcess) async throws -> String {
        try #require(try await hub.deliver(7, id: "n").json["runs"]?.array?.first?.string)
    }

    private func stop(_ run: String, of hub: HubProcess) async throws {
        let answer = try await hub.client.request("POST", "/v1/runs/\(run)/stop", json: [:])
        #expect(answer.json["result"]?.string == "applied")
    }

    /// The text of the messages that the events build.
    private func text(_ events: [JSONValue]) -> String {
        events.compactMap { $0["event"]?["delta"]?.string }.joined()
    }

    private static let words = (0..<40).map { "word\($0)" }.joined(separator: " ")

    @Test(
        "AG-UI: the package's models and a strict order accept every event, cut after each third and resumed",
        .enabled(if: PythonClient.isInstalled, PythonClient.needsPackages), arguments: [0, 1, 3])
    func agui(cut: Int) async throws {
        try await withHub(documents: Documents.github(wordsPerSecond: 100, prompt: Self.words)) { hub in
            let run = try await run(hub)
            let path = "\(hub.url)/v1/runs/\(run)/stream?format=agui"
            let process = try PythonClient.start(
                "agui.py", ["\(path)&after=0", try hub.adminToken, "\(cut)"], in: hub.folder)
            #expect(try await process.end() == 0, "\(process.errors)")
            let events = process.jsonLines
            #expect(text(events) == Self.words)
            #expect(events.first?[path: ["event", "type"]]?.string == "RUN_STARTED")
            #expect(events.first?[path: ["event", "threadId"]]?.string == run)
            #expect(events.last?[path: ["event", "outcome", "type"]]?.string == "success")
            let ids = events.compactMap { $0["id"]?.string.flatMap(Int.init) }
            #expect(ids == ids.sorted() && Set(ids).count == events.count)
            guard cut == 0 else { return }
            let late = try PythonClient.start("agui.py", [path, try hub.adminToken, "0"], in: hub.folder)
            #expect(try await late.end() == 0, "\(late.errors)")
            #expect(text(late.jsonLines) == Self.words && late.jsonLines.count < 10)
        }
    }

    @Test(
        "AG-UI: a run that was killed with the hub, then stopped, is closed in order and ends as cancelled",
        .enabled(if: PythonClient.isInstalled, PythonClient.needsPackages))
    func aguiAfterCrash() async throws {
        let provider = try ScriptedProvider([.text("one "), .hang], [.text("two "), .hang])
        defer { provider.stop() }
        try await withHub(documents: Documents.asking(provider)) { hub in
            let run = try await run(hub)
            func said(_ text: String) async throws {
                let stream = try await hub.client.stream("/v1/runs/\(run)/stream?after=0")
                _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string == text }
                stream.close()
            }
            try await said("one ")
            try await hub.kill9()
            try await hub.restart()
            try await said("two ")
            try await stop(run, of: hub)
            for (cut, query) in [("0", "&after=0"), ("1", "&after=0"), ("0", "")] {
                let path = "\(hub.url)/v1/runs/\(run)/stream?format=agui\(query)"
                let process = try PythonClient.start("agui.py", [path, try hub.adminToken, cut], in: hub.folder)
                #expect(try await process.end() == 0, "\(process.errors)")
                let events = process.jsonLines.compactMap { $0["event"] }
                #expect(events.last?["outcome"]?["type"]?.string == "cancelled")
                #expect(events.filter { $0["type"]?.string == "STEP_STARTED" }.count == 2)
                #expect(
                    events.filter { $0["type"]?.string == "TEXT_MESSAGE_CONTENT" }.map { $0["messageId"]?.string } == [
                        "triage.1", "triage.2",
                    ])
            }
            // What the step said before it began anew has no place in its text.
            let text = try await hub.client.request("GET", "/v1/runs/\(run)/stream?format=text")
            #expect(text.text == "two ")
            #expect(text.header("content-type") == "text/plain; charset=utf-8")
        }
    }

    @Test(
        "OpenAI's SDK reads a step as it comes, through keep-alives, with its usage, and goes on behind a position",
        .enabled(if: PythonClient.isInstalled, PythonClient.needsPackages))
    func openAI() async throws {
        let quiet = ScriptedProvider.Turnstile()
        let usage = #"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"# + "\n\n"
        let provider = try ScriptedProvider([
            .text("Hello "), .text("world"), .wait(quiet), .text(", né 🏔"), .raw(usage),
        ])
        defer { provider.stop() }
        try await withHub(documents: Documents.asking(provider)) { hub in
            let run = try await run(hub)
            let process = try PythonClient.start("completion.py", [hub.url, try hub.adminToken, run], in: hub.folder)
            let curl = try ChildProcess(
                "/usr/bin/curl",
                [
                    "-sSN", "--noproxy", "*", "-H", "Authorization: Bearer \(try hub.adminToken)",
                    "\(hub.url)/v1/runs/\(run)/stream?format=openai",
                ],
                outputPath: "\(hub.folder.path)/curl", errorPath: "\(hub.folder.path)/curl.err")
            _ = try await eventually(within: .seconds(60), "what was said so far") {
                process.output.contains("world") ? true : nil
            }
            _ = try await eventually(within: .seconds(60), "keep-alives in both streams") {
                curl.output.contains("\n\n:\n:\n") ? true : nil
            }
            quiet.letPass()
            #expect(try await process.end() == 0, "\(process.errors)")
            #expect(try await curl.end() == 0)
            #expect(curl.output.hasSuffix("data: [DONE]\n\n") && !curl.output.contains(":\n\n"))
            let chunks = process.jsonLines
            #expect(chunks.compactMap { $0["content"]?.string }.joined() == "Hello world, né 🏔")
            #expect(chunks.compactMap { $0["role"]?.string } == ["assistant"])
            #expect(chunks.allSatisfy { $0["model"]?.string == "model" && $0["id"]?.string == "\(run).triage" })
            #expect(chunks.last?["finish"]?.string == "stop")
            #expect(chunks.last?["usage"] == ["prompt_tokens": 3, "completion_tokens": 4])
            let frames = try await hub.client.stream("/v1/runs/\(run)/stream?after=0").blocks()
            let world = try #require(frames.first { $0.frame["data"]?["delta"]?.string == "world" }?.id)
            let rest = try PythonClient.start(
                "completion.py", [hub.url, try hub.adminToken, run, "after=\(world)", "step=triage"], in: hub.folder)
            #expect(try await rest.end() == 0, "\(rest.errors)")
            #expect(rest.jsonLines.compactMap { $0["content"]?.string }.joined() == ", né 🏔")
        }
    }

    @Test(
        "OpenAI's SDK raises the error of a step that was stopped, and takes its text for no answer",
        .enabled(if: PythonClient.isInstalled, PythonClient.needsPackages))
    func openAIStopped() async throws {
        let provider = try ScriptedProvider([.text("Hello "), .hang])
        defer { provider.stop() }
        try await withHub(documents: Documents.asking(provider)) { hub in
            let run = try await run(hub)
            let process = try PythonClient.start("completion.py", [hub.url, try hub.adminToken, run], in: hub.folder)
            _ = try await eventually(within: .seconds(60), "what was said so far") {
                process.output.contains("Hello") ? true : nil
            }
            try await stop(run, of: hub)
            #expect(try await process.end() == 0, "\(process.errors)")
            #expect(process.jsonLines.last?["error"]?.string == "step_stopped")
            #expect(!process.output.contains("\"stop\""))
        }
    }

    @Test("curl -N shows a step's text as it comes, and nothing else")
    func text() async throws {
        let seen = ScriptedProvider.Turnstile()
        let provider = try ScriptedProvider([.text("Hello "), .wait(seen), .text("world\n"), .text("né 🏔")])
        defer { provider.stop() }
        try await withHub(documents: Documents.asking(provider)) { hub in
            let run = try await run(hub)
            let curl = try ChildProcess(
                "/usr/bin/curl",
                [
                    "-sSN", "--noproxy", "*", "-D", "\(hub.folder.path)/head", "-H",
                    "Authorization: Bearer \(try hub.adminToken)", "\(hub.url)/v1/runs/\(run)/stream?format=text",
                ],
                outputPath: "\(hub.folder.path)/text", errorPath: "\(hub.folder.path)/text.err")
            _ = try await eventually(within: .seconds(60), "what was said so far") {
                curl.output == "Hello " ? true : nil
            }
            seen.letPass()
            #expect(try await curl.end() == 0)
            #expect(curl.output == "Hello world\nné 🏔")
            let head = try String(contentsOfFile: "\(hub.folder.path)/head", encoding: .utf8)
            #expect(head.contains("content-type: text/plain; charset=utf-8\r\n"))
            #expect(head.hasSuffix("belfry-step-state: succeeded\r\n"))
        }
    }
}
