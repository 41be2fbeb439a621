import BelfryCore

/// What `send --dry-run` says: the verification first, then each event with what the rules make of it.
enum DryRunText {
    /// - Parameter showsAll: also the rules that are for other sources; else only their number.
    static func of(_ answer: JSONValue, showsAll: Bool) -> String {
        var text = verification(answer["verification"] ?? .null)
        if let error = answer["error"] {
            text += "\(Terminal.red("✗")) refused: \(said(error))\n"
        }
        if let answered = answer["answered"] {
            let body = answered["body"]?.string.map { $0.isEmpty ? "" : ": " + Terminal.harmless($0) } ?? ""
            text += "the sender is answered \(answered.cell("status"))\(body)\n"
        }
        if answer["paused"]?.bool == true { text += "\(Terminal.yellow("~")) paused: nothing would start\n" }
        for item in answer["events"]?.array ?? [] { text += event(item, showsAll: showsAll) }
        return text + Terminal.faint("nothing was stored\n")
    }

    private static func verification(_ verification: JSONValue) -> String {
        if verification["ok"]?.bool == true {
            let secret = verification["by"]?.string.map { " by \($0)" } ?? ""
            return "\(Terminal.green("✓")) verified\(secret)\n"
        }
        if verification["code"]?.string == "not_checked" {
            return "\(Terminal.yellow("~")) not verified: \(Terminal.harmless(verification.cell("detail")))\n"
        }
        return "\(Terminal.red("✗")) not verified: \(said(verification))\n"
    }

    private static func event(_ item: JSONValue, showsAll: Bool) -> String {
        let event = item["event"] ?? .null
        let rules = item["rules"]?.array ?? []
        let subject = event["subject"]?.string.map { " \($0)" } ?? ""
        var text = Terminal.bold(Terminal.harmless("\(event.cell("type"))\(subject)")) + "\n"
        if let known = item["duplicate_of"]?.string { text += "\(Terminal.yellow("~")) a duplicate of \(known)\n" }
        for rule in rules where rule["matched"]?.bool == true {
            text += "\(Terminal.green("✓")) \(rule.cell("rule")): a match\n"
            text += Explanation.text(ofRule: rule, failuresOnly: false)
        }
        return text + WhyText.misses(rules, showsAll: showsAll)
    }

    /// `what is wrong (code)`
    private static func said(_ problem: JSONValue) -> String {
        Terminal.harmless("\(problem.cell("detail")) (\(problem.cell("code")))").replacing("\n", with: " ")
    }
}
