import BelfryCore

/// A frame as one line of text: time, then what a person wants to know of it.
enum FrameLine {
    /// Without control characters and without a line feed.
    static func of(_ frame: JSONValue) -> String {
        let data = frame["data"] ?? .null
        let time = Terminal.faint(frame.timeCell("time"))
        if frame["type"]?.string == FrameType.notice.rawValue {
            let text = data["text"]?.string.map { $0.isEmpty ? "" : ": \($0)" } ?? ""
            return "\(time)  \(severity(data))  \(harmless(data.cell("title") + text))"
        }
        let place = frame["run"] ?? frame["source"] ?? frame["topic"] ?? .null
        let type = frame.cell("type").padded(to: 20)
        return "\(time)  \(harmless("\(type)  \(place.cell)  \(summary(frame["type"]?.string, data))"))"
    }

    private static func severity(_ data: JSONValue) -> String {
        let word = harmless(data.cell("severity")).padded(to: 7)
        return switch data["severity"]?.string {
        case Notice.Severity.error.rawValue: Terminal.red(word)
        case Notice.Severity.warning.rawValue: Terminal.yellow(word)
        default: word
        }
    }

    private static func summary(_ type: String?, _ data: JSONValue) -> String {
        switch type.flatMap({ FrameType(rawValue: $0) }) {
        case .event: ["status", "type", "subject", "event"].map { data.cell($0) }.joined(separator: "  ")
        case .textMessageContent: data.cell("delta")
        case .approvalRequested: "\(data.cell("step"))  \(data.cell("approval"))  \(data.cell("message"))"
        case .approvalDecided: "\(data.cell("approval"))  \(WaitText.decision(data))"
        case .stepState where data.cell("state") == StepState.waiting.rawValue: WaitText.line(data)
        case .command:
            [data["kind"], data["step"], data["by"].map { "by \($0.cell)" }.map(JSONValue.string)]
                .compactMap { $0?.cell }.joined(separator: "  ")
        default: String(data.text.prefix(Limits.listenLineCharactersMax))
        }
    }

    private static func harmless(_ text: String) -> String {
        String(Terminal.harmless(text).map { $0.isNewline || $0 == "\t" ? " " : $0 })
    }
}
