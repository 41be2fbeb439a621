import BelfryCore

/// What `events why` says: the recorded outcomes first, then what today's rules make of the event.
enum WhyText {
    /// - Parameter showsAll: also the rules that are for other sources; else only their number.
    static func of(_ answer: JSONValue, showsAll: Bool) -> String {
        let matches = answer["matches"]?.array ?? []
        let rules = answer["rules"]?.array ?? []
        var text = "\(answer.cell("event")): \(Terminal.bold(answer.cell("status")))"
        text +=
            ", by version \(answer.cell("ruleset_version")) of the rule set, verified by \(answer.cell("verified_by"))\n"
        text += matches.map(outcome).joined()
        if answer["rules_changed"]?.bool == true { text += "the rules have changed since; what follows is today's\n" }

        let recorded = Set(matches.map { $0.cell("rule") })
        for rule in rules where rule["matched"]?.bool == true && !recorded.contains(rule.cell("rule")) {
            let version = rule["version"]?.number.map { " (v\($0.text))" } ?? ""
            text +=
                "\(Terminal.yellow("~")) \(rule.cell("rule"))\(version) would match today; "
                + "it did not when the event came\n"
        }
        return text + misses(rules, showsAll: showsAll)
    }

    /// The rules that did not match, each with the clauses that failed.
    static func misses(_ rules: [JSONValue], showsAll: Bool) -> String {
        let others = rules.filter { $0["matched"]?.bool == false }
        let folded = showsAll ? [] : others.filter(isForOtherSource)
        var text = ""
        for rule in others where showsAll || !isForOtherSource(rule) {
            text += "\(Terminal.red("✗")) \(rule.cell("rule")): no match, because\n"
            text += Explanation.text(rule["explanation"] ?? .null, failuresOnly: true)
        }
        switch folded.count {
        case 0: break
        case 1: text += Terminal.faint("1 rule is for another source (--all shows it)\n")
        default: text += Terminal.faint("\(folded.count) rules are for other sources (--all shows them)\n")
        }
        return text
    }

    /// `✓ hot-pump: started run_…`
    private static func outcome(_ match: JSONValue) -> String {
        let run = match["run"]?.string.map { " \($0)" } ?? ""
        let detail = match["detail"]?.string.map { " (\(Terminal.harmless($0)))" } ?? ""
        return "\(Terminal.green("✓")) \(match.cell("rule")): \(match.cell("outcome"))\(run)\(detail)\n"
    }

    private static func isForOtherSource(_ rule: JSONValue) -> Bool {
        (rule["explanation"]?["all"]?.array ?? []).contains { clause in
            clause["path"]?.string == "source" && clause["matched"]?.bool == false
        }
    }
}
