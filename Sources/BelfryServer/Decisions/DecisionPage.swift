import BelfryCore
import BelfryEngine
import BelfryStore

/// What the reader of a link sees: the question with all that it is about, and two buttons while it is open.
struct DecisionPage {
    let question: LinkedQuestion
    /// Why what was sent decided nothing.
    var problem: String?
    /// The value that was sent.
    var given: String?

    var html: String {
        let run = question.run
        let facts =
            "<p class=\"facts\"><span>\(Self.escaped(run.rule))</span><span>\(Self.escaped(question.step))</span></p>"
        guard let approval = question.approval else {
            let text =
                run.state.isEnded
                ? "The run is over and has asked nothing."
                : "The run has not come to this question yet. Load the page again later."
            return Self.html(title: "Nothing is asked", facts + "<p>\(text)</p>")
        }
        let head = facts + "<p class=\"message\">\(Self.escaped(approval.message))</p>" + call(approval)
        guard approval.decision == nil else {
            return Self.html(
                title: "Decided", head + "<p class=\"decided\">\(Self.escaped(Self.verdict(approval)))</p>" + note)
        }
        return Self.html(title: "A decision is asked for", head + note + form(approval))
    }

    private var note: String {
        problem.map { "<p class=\"note\" role=\"alert\">\(Self.escaped($0))</p>" } ?? ""
    }

    /// A call that an agent wants to make, whole.
    private func call(_ approval: ApprovalRecord) -> String {
        guard let call = approval.call?.value else { return "" }
        let text = "\(call["tool"]?.string ?? "") \(call["arguments"]?.indentedText ?? "")"
        return "<pre>\(Self.escaped(text))</pre>"
    }

    private func form(_ approval: ApprovalRecord) -> String {
        var fields = "<input type=\"hidden\" name=\"approval\" value=\"\(approval.id)\">"
        if let schema = approval.schema?.value {
            let isCall = approval.call != nil
            let what = isCall ? "Other arguments, as JSON (empty: as they are)" : "The value, as JSON"
            fields +=
                "<label for=\"value\">\(what)</label><code>\(Self.escaped(schema.text))</code>"
                + "<textarea id=\"value\" name=\"value\" rows=\"4\" spellcheck=\"false\">\(Self.escaped(given ?? ""))</textarea>"
        }
        fields +=
            "<label for=\"reason\">Reason, if you deny</label><input id=\"reason\" name=\"reason\" maxlength=\"500\">"
            + "<p class=\"answer\"><button name=\"decision\" value=\"approve\">Approve</button>"
            + "<button name=\"decision\" value=\"deny\">Deny</button></p>"
        return "<form method=\"post\">\(fields)</form><p class=\"facts\">open until \(approval.expires)</p>"
    }

    private static func verdict(_ approval: ApprovalRecord) -> String {
        let who = approval.decidedBy ?? "somebody"
        let reason = approval.reason.map { ": \($0)" } ?? ""
        switch approval.decision {
        case .approve: return "Approved by \(who)."
        case .deny: return approval.reason == "expired" ? "Nobody has decided in time." : "Denied by \(who)\(reason)."
        case .void, nil: return "It is not asked any more\(reason)."
        }
    }

    static func html(title: String, _ body: String) -> String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title) · Belfry</title><link rel="icon" href="assets/favicon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="assets/style.css"></head>
        <body><main id="decision"><h1>\(title)</h1>\(body)</main></body></html>
        """
    }

    /// Nothing in it is markup, and marks of direction (Unicode, UAX #9), by which a text may look like another one, are seen.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\u{061C}", "\u{200E}"..."\u{200F}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}":
                escaped += "\\u" + String(0x10000 + character.value, radix: 16).dropFirst()
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
