import BelfryCore

/// A run's steps, one after the other: how each stands, how long it took, what it used, and what it waits for.
struct RunTimeline {
    let run: JSONValue
    /// For steps that are at work.
    var now: Timestamp?

    /// Lines without an end; empty lines between steps.
    var lines: [String] {
        let steps = run["steps"]?.array ?? []
        let nameWidth = steps.map { $0.cell("name").count }.max() ?? 0
        return steps.flatMap { step in [""] + [heading(step, nameWidth)] + body(step).map { "  " + $0 } }
    }

    /// `● confirm  approve  waiting until 2026-01-02 03:04:05Z`
    private func heading(_ step: JSONValue, _ nameWidth: Int) -> String {
        let state = step.cell("state")
        let reason = step["reason"]?.string.map { " (\($0))" } ?? ""
        let until =
            state == StepState.waiting.rawValue ? step["due"].map { _ in " until \(step.timeCell("due"))" } : nil
        let attempt = step["attempt"]?.number?.int64 ?? 1
        let facts = [
            attempt > 1 ? "attempt \(attempt)" : nil, duration(step), tokens(step),
            step["http_status"]?.number.map { "HTTP \($0.text)" },
        ].compactMap { $0 }.joined(separator: ", ")
        let name = Terminal.bold(Terminal.harmless(step.cell("name").padded(to: nameWidth)))
        let text =
            "\(mark(state)) \(name)  \(step.cell("kind").padded(to: 7))  "
            + Terminal.harmless(state + reason + (until ?? ""))
        return facts.isEmpty ? text : text + Terminal.faint("  " + facts)
    }

    private func mark(_ state: String) -> String {
        switch StepState(rawValue: state) {
        case .succeeded: Terminal.green("✓")
        case .failed: Terminal.red("✗")
        case .running, .waiting: Terminal.yellow("●")
        case .skipped, .stopped: Terminal.yellow("-")
        case .pending, nil: Terminal.faint("·")
        }
    }

    /// From its beginning to its end, or to now.
    private func duration(_ step: JSONValue) -> String? {
        guard let started = step["started"]?.string.flatMap({ Timestamp($0) }) else { return nil }
        let end = step["ended"]?.string.flatMap { Timestamp($0) }
        guard let end = end ?? now, end >= started else { return nil }
        return "\(Double((end - started).milliseconds) / 1000) s"
    }

    private func tokens(_ step: JSONValue) -> String? {
        guard let usage = step["usage"], !usage.isNull else { return nil }
        let cost = usage["cost"].map { ", cost \($0.text)" } ?? ""
        return "\(usage.cell("input_tokens")) tokens in, \(usage.cell("output_tokens")) out\(cost)"
    }

    private func body(_ step: JSONValue) -> [String] {
        var lines: [String] = []
        lines += attempts(step)
        if let error = step["error"]?["message"]?.string { lines.append(Terminal.red(Terminal.harmless(error))) }
        for path in step["missing"]?.array ?? [] {
            lines.append(Terminal.yellow("missing: {{\(Terminal.harmless(path.cell))}} led to nothing"))
        }
        if let adjusted = step["adjusted"] { lines.append("adjusted: " + Terminal.harmless(adjusted.text)) }
        if let said = step["said"] { lines += Self.lines(ofSaid: said) }
        // Newest first: the last one is what counts.
        let name = step["name"]
        if let approval = run["approvals"]?.array?.first(where: { $0["step"] == name }) { lines += question(approval) }
        if step["event"] != nil { lines.append("event: " + Terminal.harmless(step.cell("event"))) }
        // Of a question without a value that would be the decision once more.
        let isSaid = step["kind"]?.string == "approve" && step["value"] == nil
        if !isSaid, let output = step["output"], !output.isNull { lines += Self.lines(of: output.cell) }
        return lines
    }

    /// What became of attempts at a message before the last one.
    private func attempts(_ step: JSONValue) -> [String] {
        (step["attempts"]?.array ?? []).dropLast().map { attempt in
            let status = attempt["http_status"]?.number.map { "HTTP \($0.text): " } ?? ""
            let line =
                "attempt \(attempt.cell("attempt")) \(attempt.timeCell("ended")): \(status)\(attempt.cell("problem"))"
            return Terminal.faint(Terminal.harmless(line))
        }
    }

    /// What is asked, and how to answer it or how it was answered.
    private func question(_ approval: JSONValue) -> [String] {
        let message = Self.lines(of: approval.cell("message"))
        guard approval["decision"]?.string == nil else {
            let reason = approval["reason"]?.string.map { ": \($0)" } ?? ""
            let by = approval.cell("decided_by")
            return message + [Terminal.harmless("\(ApprovalText.state(approval)) by \(by)\(reason)")]
        }
        return message + ApprovalText.howTo(approval)
    }

    private static func lines(ofSaid said: JSONValue) -> [String] {
        SaidSoFar.parts(of: said).flatMap { part in
            switch part {
            case .text(let text): lines(of: text)
            case .note(let text): lines(of: text).map { Terminal.faint($0) }
            }
        }
    }

    private static func lines(of text: String) -> [String] {
        Terminal.harmless(text).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
    }
}
