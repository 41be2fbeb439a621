import BelfryCore

/// Turns a run's frames into text for a terminal or a pipe.
struct RunRenderer {
    let run: String
    /// Headings and styles; a pipe gets the text alone.
    let isDecorated: Bool
    private var isAtLineStart = true
    private var hasHeading = false

    init(run: String, isDecorated: Bool) {
        self.run = run
        self.isDecorated = isDecorated
    }

    /// What to write for the next frame; empty for frames that a reader need not see.
    mutating func render(_ frame: JSONValue) -> String {
        let data = frame["data"] ?? .null
        switch FrameType(rawValue: frame.cell("type")) {
        case .runStarted where !hasHeading:
            hasHeading = true
            return decorated("\(Terminal.bold(frame["rule"]?.string ?? "run")) \(Terminal.faint(run))\n")
        case .stepStarted:
            let attempt = data["attempt"]?.number?.int64 ?? 1
            let again = attempt > 1 ? ", attempt \(attempt)" : ""
            return lineEnd() + decorated(Terminal.faint("— \(data.cell("step"))\(again) —\n"))
        case .textMessageContent:
            return text(Terminal.harmless(data["delta"]?.string ?? ""))
        case .snapshot:
            // Without history (it was removed) the snapshot holds the text so far.
            return text((data["steps"]?.array ?? []).map { Terminal.harmless($0["text"]?.string ?? "") }.joined())
        case .stepFinished where data.cell("state") != StepState.succeeded.rawValue:
            return lineEnd() + decorated(Terminal.yellow("— \(data.cell("step")): \(data.cell("state")) —\n"))
        default:
            return ""
        }
    }

    /// The last line: how the run ended.
    mutating func end(_ run: JSONValue) -> String {
        let state = run.cell("state")
        let reason = run["reason"]?.string.map { $0 == "completed" ? "" : " (\($0))" } ?? ""
        let error = run["error"]?["message"]?.string.map { ": " + $0 } ?? ""
        var seconds = ""
        if let started = run["started"]?.string.flatMap({ Timestamp($0) }),
            let ended = run["ended"]?.string.flatMap({ Timestamp($0) })
        {
            seconds = " in \(Double((ended - started).milliseconds) / 1000) s"
        }
        let verdict = state == RunState.succeeded.rawValue ? Terminal.green(state) : Terminal.red(state)
        return lineEnd() + decorated(verdict + Terminal.harmless(reason + error) + Terminal.faint(seconds) + "\n")
    }

    private mutating func text(_ text: String) -> String {
        if let last = text.last { isAtLineStart = last.isNewline }
        return text
    }

    private mutating func lineEnd() -> String {
        defer { isAtLineStart = true }
        return isAtLineStart ? "" : "\n"
    }

    private func decorated(_ text: String) -> String { isDecorated ? text : "" }
}
