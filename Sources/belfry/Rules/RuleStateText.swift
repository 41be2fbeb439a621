import BelfryCore

/// What a rule does today, in plain words: `runs`, `observes`, `disabled`, `muted until … by …`, `broken since …`.
enum RuleStateText {
    /// All that keeps the rule from running, what weighs most first.
    /// - Parameters:
    ///   - rule: as the API shows it.
    ///   - isShort: without what a broken rule's last run failed of.
    static func of(_ rule: JSONValue, isShort: Bool = false) -> String {
        if let problem = rule["problem"]?.string { return line("unreadable: \(problem)") }
        var words: [String] = []
        if rule["enabled"]?.bool == false { words.append("disabled") }
        if rule["muted_until"] != nil {
            words.append("muted until \(rule.timeCell("muted_until")) by \(rule.cell("muted_by"))")
        }
        if let broken = rule["broken"] {
            let reason = isShort ? "" : ": \(broken.cell("reason"))"
            words.append("broken since \(broken.timeCell("since"))\(reason)")
        }
        if rule["mode"]?.string == "observe" { words.append("observes") }
        return words.isEmpty ? "runs" : line(words.joined(separator: ", "))
    }

    /// Reasons hold what others wrote.
    private static func line(_ text: String) -> String { Terminal.harmless(text).replacing("\n", with: " ") }
}
