import BelfryCore
import Testing

@testable import belfry

struct RunRendererTests {
    private func frame(_ type: FrameType, _ data: JSONValue) -> JSONValue {
        ["type": .string(type.rawValue), "rule": "triage", "data": data]
    }

    private var frames: [JSONValue] {
        [
            frame(.runStarted, [:]), frame(.stepStarted, ["step": "say", "attempt": 1]),
            frame(.textMessageContent, ["step": "say", "delta": "Hello "]),
            frame(.textMessageContent, ["step": "say", "delta": "there\u{1B}[31m"]),
            frame(.stepFinished, ["step": "say", "state": "succeeded"]), frame(.runFinished, ["state": "succeeded"]),
        ]
    }

    private let ended: JSONValue = [
        "state": "succeeded", "reason": "completed", "started": "2026-01-01T00:00:00.000Z",
        "ended": "2026-01-01T00:00:01.500Z",
    ]

    @Test("a pipe gets the text alone, and a line end")
    func plain() {
        var renderer = RunRenderer(run: "run_x", isDecorated: false)
        let text = frames.map { renderer.render($0) }.joined() + renderer.end(ended)
        #expect(text == "Hello there\u{FFFD}[31m\n")
    }

    @Test("a person sees headings and how it ended")
    func decorated() {
        var renderer = RunRenderer(run: "run_x", isDecorated: true)
        let text = frames.map { renderer.render($0) }.joined() + renderer.end(ended)
        #expect(text.contains("triage") && text.contains("— say —\nHello there"))
        #expect(text.hasSuffix("succeeded in 1.5 s\n"))
    }

    @Test("a failed run says why")
    func failed() {
        var renderer = RunRenderer(run: "run_x", isDecorated: true)
        let answer: JSONValue = [
            "state": "failed", "reason": "error", "error": ["code": "agent_timeout", "message": "no token came"],
        ]
        #expect(renderer.end(answer).contains("failed (error): no token came"))
    }
}
