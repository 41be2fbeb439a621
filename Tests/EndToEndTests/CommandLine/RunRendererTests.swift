import BelfryCore
import Testing

@testable import belfry

struct RunRendererTests {
    private func frame(_ type: FrameType, _ data: JSONValue) -> JSONValue {
        let time: JSONValue = type == .runFinished ? "2026-01-01T00:00:01.500Z" : "2026-01-01T00:00:00.000Z"
        return ["type": .string(type.rawValue), "time": time, "rule": "triage", "data": data]
    }

    private var frames: [JSONValue] {
        [
            frame(.runStarted, [:]), frame(.stepStarted, ["step": "say", "attempt": 1]),
            frame(.textMessageContent, ["step": "say", "delta": "Hello "]),
            frame(.textMessageContent, ["step": "say", "delta": "there\u{1B}[31m"]),
            frame(.stepFinished, ["step": "say", "state": "succeeded"]),
            frame(.runFinished, ["state": "succeeded", "reason": "completed"]),
        ]
    }

    /// All that is written for these frames, with the last line.
    private func written(_ frames: [JSONValue], isDecorated: Bool) throws -> String {
        var renderer = RunRenderer(run: "run_x", isDecorated: isDecorated)
        let text = frames.map { renderer.render($0) }.joined()
        return text + renderer.end(try #require(renderer.verdict))
    }

    @Test("a pipe gets the text alone, and a line end")
    func plain() throws {
        #expect(try written(frames, isDecorated: false) == "Hello there\u{FFFD}[31m\n")
    }

    @Test("a person sees headings and how it ended")
    func decorated() throws {
        let text = try written(frames, isDecorated: true)
        #expect(text.contains("triage") && text.contains("— say —\nHello there"))
        #expect(text.hasSuffix("succeeded in 1.5 s\n"))
    }

    @Test("the last frame says that and why a run failed")
    func failed() throws {
        let last = frame(
            .runError,
            ["state": "failed", "reason": "error", "error": ["code": "agent_timeout", "message": "no token came"]])
        #expect(try written([last], isDecorated: true).contains("failed (error): no token came"))
        #expect(try #require(RunVerdict(last: last)).text == "failed (error): no token came")
        #expect(RunVerdict(last: frame(.stepFinished, ["state": "failed"])) == nil)
    }

    @Test("a new attempt begins on a new line, and is told apart from the first")
    func attempts() {
        let again = frame(.runState, ["state": "running", "reason": "interrupted", "attempt": 2])
        var renderer = RunRenderer(run: "run_x", isDecorated: false)
        let text = (frames.prefix(4) + [again] + frames.dropFirst().prefix(2)).map { renderer.render($0) }.joined()
        #expect(text == "Hello there\u{FFFD}[31m\nHello ")
        #expect(renderer.attemptBegun(by: again) == 2)
        #expect(renderer.attemptBegun(by: frames[1]) == nil)
    }

    @Test("a person sees what operators and programs say beside the text; a pipe does not")
    func notes() {
        let beside = [
            frame(.runState, ["state": "queued"]), frame(.runStarted, [:]),
            frame(.textMessageContent, ["step": "say", "delta": "Hello"]),
            frame(.custom, ["name": "log", "value": "warn\u{1B}[2J"]),
            frame(.command, ["kind": "stop", "by": "admin"]), frame(.runState, ["state": "stopping"]),
        ]
        var (person, pipe) = (
            RunRenderer(run: "run_x", isDecorated: true), RunRenderer(run: "run_x", isDecorated: false)
        )
        #expect(
            beside.map { person.render($0) }.joined()
                == "triage run_x\n— queued —\nHello\n  warn\u{FFFD}[2J\n— stop by admin —\n— stopping —\n")
        #expect(beside.map { pipe.render($0) }.joined() == "Hello")
    }

    @Test("who comes late sees the calls where they stand in the text, and what is asked; a pipe gets the text alone")
    func late() {
        let calls: JSONValue = [
            [
                "toolCallId": "1", "toolCallName": "status", "state": "done", "at": 7, "arguments": "{}",
                "result": "hot\n", "result_bytes": 9000,
            ],
            [
                "toolCallId": "2", "toolCallName": "restart", "state": "asked", "at": 12,
                "arguments": "{\"pump\":\"\u{1B}p7\"}",
            ],
        ]
        let snapshot = frame(
            .snapshot,
            [
                "run": "run_x",
                "steps": [["step": "mend", "text": "Heiß: Now.\nso", "calls": calls, "calls_dropped": 2]],
                "approvals": [["approval": "apr_1", "message": "Restart it?", "schema": ["type": "object"]]],
            ])
        var (person, pipe) = (
            RunRenderer(run: "run_x", isDecorated: true), RunRenderer(run: "run_x", isDecorated: false)
        )
        #expect(
            person.render(snapshot)
                == """
                … 2 calls before
                Heiß: 
                → status {}
                ← hot
                … (9000 bytes)
                Now.
                → restart {"pump":"\u{FFFD}p7"} (asked)
                so
                Restart it?
                  belfry approvals approve apr_1 --value JSON
                  belfry approvals deny apr_1 --reason TEXT

                """)
        #expect(pipe.render(snapshot) == "Heiß: Now.\nso")
    }

    @Test("lines of runs that work at the same time do not mix, and none is kept back for ever")
    func all() {
        var renderer = AllRunsRenderer(isDecorated: false)
        func text(_ run: String, _ delta: String) -> String {
            renderer.render(
                [
                    "type": "TEXT_MESSAGE_CONTENT", "run": .string(run), "rule": "triage",
                    "data": ["delta": .string(delta)],
                ])
        }
        #expect(text("run_000001", "One ") == "")
        #expect(text("run_000002", "Two\nhalf") == "triage 000002  Two\n")
        #expect(text("run_000001", "line\n\n") == "triage 000001  One line\ntriage 000001  \n")
        #expect(text("run_000001", String(repeating: "x", count: Limits.watchLineBytesMax + 1)).hasSuffix("x\n"))
        let last = renderer.render(
            ["type": "RUN_FINISHED", "run": "run_000002", "data": ["state": "succeeded", "reason": "completed"]])
        #expect(last == "triage 000002  half\n")
        #expect(renderer.render(["type": "SNAPSHOT", "data": ["runs": []]]) == "")
    }

    @Test("without a run it is the newest that has not ended")
    func newest() {
        let snapshot: JSONValue = [
            "type": "SNAPSHOT",
            "data": ["runs": [["run": "run_2", "state": "queued"], ["run": "run_3"], ["run": "run_1"]]],
        ]
        #expect(RunWatch.newest(in: snapshot) == "run_3")
        #expect(RunWatch.newest(in: ["type": "SNAPSHOT", "data": ["runs": []]]) == nil)
        #expect(RunWatch.newest(in: ["type": "RUN_STATE", "run": "run_4", "data": ["state": "queued"]]) == "run_4")
        #expect(RunWatch.newest(in: ["type": "RUN_FINISHED", "run": "run_4", "data": ["state": "failed"]]) == nil)
    }
}
