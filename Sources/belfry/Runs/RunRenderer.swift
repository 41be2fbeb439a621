import BelfryCore

/// Turns a run's frames into text for a terminal or a pipe.
struct RunRenderer {
    let run: String
    /// Headings and styles; a pipe gets the text alone.
    let isDecorated: Bool
    /// How the run ended; nil until its last frame was rendered.
    private(set) var verdict: RunVerdict?
    private var isAtLineStart = true
    private var hasHeading = false
    private var started: Timestamp?
    private var ended: Timestamp?

    init(run: String, isDecorated: Bool) {
        self.run = run
        self.isDecorated = isDecorated
    }

    /// What to write for the next frame; empty for frames that a reader need not see.
    mutating func render(_ frame: JSONValue) -> String {
        let data = frame["data"] ?? .null
        switch FrameType(rawValue: frame.cell("type")) {
        case .runStarted:
            started = started ?? Self.time(of: frame)
            return heading(frame)
        case .runState:
            if let attempt = attemptBegun(by: frame) {
                return lineEnd() + decorated(Terminal.yellow("— attempt \(attempt) begins anew —\n"))
            }
            let state = data.cell("state")
            return heading(frame)
                + (state == RunState.running.rawValue ? "" : note("— \(state) —"))
        case .command:
            let step = data["step"]?.string.map { " of \($0)" } ?? ""
            return note("— \(data.cell("kind"))\(step) by \(data.cell("by")) —")
        case .stepState where data.cell("state") == StepState.waiting.rawValue:
            return note(WaitText.line(data))
        case .approvalRequested:
            return question(data)
        case .approvalDecided:
            return note(WaitText.decision(data))
        case .custom where data["name"]?.string == "log":
            // What a step's program writes on stderr is no text of the run.
            return note("  \(data.cell("value"))")
        case .toolCallStart:
            return lineEnd() + decorated(Terminal.faint("→ \(Terminal.harmless(data.cell("toolCallName"))) "))
        case .toolCallArgs: return decorated(Terminal.faint(Terminal.harmless(data.cell("delta"))))
        case .toolCallEnd: return decorated("\n")
        case .toolCallResult:
            let mark = data["error"]?.bool == true ? "✗" : "←"
            return note("\(mark) \(data.cell("content"))")
        case .stepStarted:
            let attempt = data["attempt"]?.number?.int64 ?? 1
            let again = attempt > 1 ? ", attempt \(attempt)" : ""
            return lineEnd() + decorated(Terminal.faint("— \(data.cell("step"))\(again) —\n"))
        case .textMessageContent:
            return text(Terminal.harmless(data["delta"]?.string ?? ""))
        case .snapshot:
            // Who comes late, or whose history was removed, gets what was said so far.
            return (data["steps"]?.array ?? []).map { snapshot(of: $0) }.joined()
                + (data["approvals"]?.array ?? []).map { question($0) }.joined()
        case .stepFinished where data.cell("state") != StepState.succeeded.rawValue:
            let reason = data["reason"]?.string.map { " (\($0))" } ?? ""
            return lineEnd() + decorated(Terminal.yellow("— \(data.cell("step")): \(data.cell("state"))\(reason) —\n"))
        case .runFinished, .runError:
            verdict = RunVerdict(last: frame)
            ended = Self.time(of: frame)
            return ""
        default:
            return ""
        }
    }

    /// Which attempt this frame says has begun; nil unless it is one after the first. What the attempts before it said
    /// stands above and counts no more.
    func attemptBegun(by frame: JSONValue) -> Int64? {
        guard frame.cell("type") == FrameType.runState.rawValue,
            let attempt = frame["data"]?["attempt"]?.number?.int64, attempt > 1
        else { return nil }
        return attempt
    }

    /// The last line: how the run ended.
    mutating func end(_ verdict: RunVerdict) -> String {
        var seconds = ""
        if let started, let ended { seconds = " in \(Double((ended - started).milliseconds) / 1000) s" }
        let state =
            verdict.state == RunState.succeeded.rawValue ? Terminal.green(verdict.state) : Terminal.red(verdict.state)
        return lineEnd() + decorated(state + verdict.why + Terminal.faint(seconds) + "\n")
    }

    /// The first line, before whatever comes first.
    private mutating func heading(_ frame: JSONValue) -> String {
        guard !hasHeading else { return "" }
        hasHeading = true
        return decorated("\(Terminal.bold(frame["rule"]?.string ?? "run")) \(Terminal.faint(run))\n")
    }

    private mutating func snapshot(of step: JSONValue) -> String {
        SaidSoFar.parts(of: step).map { part in
            switch part {
            case .text(let said): text(Terminal.harmless(said))
            case .note(let line): note(line)
            }
        }.joined()
    }

    /// What is asked, and how to answer it; for a person only.
    private mutating func question(_ data: JSONValue) -> String {
        guard isDecorated else { return "" }
        let lines = ApprovalText.howTo(data).map { "  " + Terminal.faint($0) }
        let message = Terminal.bold(Terminal.harmless(data.cell("message")))
        return lineEnd() + ([message] + lines).joined(separator: "\n") + "\n"
    }

    /// A faint line of its own, for a person only.
    private mutating func note(_ text: String) -> String {
        isDecorated ? lineEnd() + Terminal.faint(Terminal.harmless(text)) + "\n" : ""
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

    private static func time(of frame: JSONValue) -> Timestamp? { frame["time"]?.string.flatMap { Timestamp($0) } }
}
