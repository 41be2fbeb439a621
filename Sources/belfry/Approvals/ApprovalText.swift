import BelfryCore

/// A question for a person.
enum ApprovalText {
    /// `open`, or how it was decided.
    static func state(_ approval: JSONValue) -> String {
        switch approval["decision"]?.string {
        case nil: "open"
        case "approve"?: "approved"
        case "deny"?: approval["reason"]?.string == "expired" ? "expired" : "denied"
        case _?: "withdrawn"
        }
    }

    /// All that is known of it, one thing a line.
    static func text(_ approval: JSONValue) -> String {
        var lines = [Terminal.bold(Terminal.harmless(approval.cell("message"))), ""]
        func fact(_ name: String, _ text: String) {
            lines.append(name.padded(to: 10) + "  " + Terminal.harmless(text))
        }
        fact("state", state(approval))
        for name in ["id", "run", "rule", "step"] { fact(name, approval.cell(name)) }
        if let call = approval["call"], !call.isNull {
            fact("call", "\(call.cell("tool")) \(call["arguments"]?.text ?? "")")
        } else {
            fact("before", approval.cell("guards"))
        }
        fact("requested", approval.timeCell("requested"))
        fact("expires", approval.timeCell("expires"))
        if let schema = approval["schema"], !schema.isNull { fact("value", "as \(schema.text)") }
        if approval["decision"]?.string != nil {
            fact("decided", "\(approval.timeCell("decided")) by \(approval.cell("decided_by"))")
            if let value = approval["value"], !value.isNull { fact("value", value.text) }
            if let reason = approval["reason"]?.string { fact("reason", reason) }
        } else {
            lines += [""] + howTo(approval)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What a frame asks, and how to answer it; nil if it asks nothing.
    static func question(in frame: JSONValue) -> String? {
        guard frame.cell("type") == FrameType.approvalRequested.rawValue else { return nil }
        let data = frame["data"] ?? .null
        let lines =
            [Terminal.harmless(data.cell("message"))] + howTo(data)
        return lines.joined(separator: "\n  ") + "\n"
    }

    /// The commands that answer it.
    /// - Parameter question: as the API has it, or the data of its frame.
    static func howTo(_ question: JSONValue) -> [String] {
        func has(_ key: String) -> Bool { question[key].map { !$0.isNull } ?? false }
        let id = Terminal.harmless(question.cell(has("approval") ? "approval" : "id"))
        // A call can be allowed as it is.
        let isCall = has("call") || has("tool")
        let value = !has("schema") ? "" : isCall ? " [--value ARGUMENTS]" : " --value JSON"
        return ["belfry approvals approve \(id)\(value)", "belfry approvals deny \(id) --reason TEXT"]
    }
}
