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
}
