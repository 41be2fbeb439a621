import BelfryCore

/// What `events why` says: the recorded outcomes first, then what today's rules make of the event.
struct WhyText {
    /// Also the rules that are for other sources; else only their number.
    var showsAll: Bool
    var width = Terminal.width

    static func of(_ answer: JSONValue, showsAll: Bool, width: Int? = Terminal.width) -> String {
        let text = WhyText(showsAll: showsAll, width: width)
        return text.head(answer) + text.history(answer["matches"]?.array ?? [])
            + text.leftOut(answer["matches_left_out"], "more matches are recorded") + text.today(answer)
    }

    /// What is asked of one rule: its outcomes, and its clauses by the version of then and of now.
    static func of(_ answer: JSONValue, rule: String, width: Int? = Terminal.width) -> String {
        let text = WhyText(showsAll: true, width: width)
        let matches = answer["matches"]?.array ?? []
        return text.head(answer) + text.history(matches) + text.versions(answer, rule: rule)
    }

    // MARK: What happened

    private func head(_ answer: JSONValue) -> String {
        var facts = ["source", "type"].compactMap { answer[$0]?.string }
        if answer["received"] != nil { facts.append(answer.timeCell("received")) }
        if let secret = answer["verified_by"]?.string { facts.append("verified by \(secret)") }
        if let hops = answer["hops"]?.number?.int64, hops > 0 {
            facts.append("\(hops.counted("run")) led to it, one after the other")
        }
        var rules = "matched with version \(answer.cell("ruleset_version")) of the rules"
        if answer["rules_changed"]?.bool == true { rules += ", which have changed since" }
        let lines = (facts.isEmpty ? [] : [facts.joined(separator: ", ")]) + [rules]
        return "\(answer.cell("event")): \(Terminal.bold(answer.cell("status")))\n"
            + lines.map { "  " + Terminal.faint(wrapped($0, indent: 2)) + "\n" }.joined()
    }

    /// Every round's outcomes; a round is named where there are several.
    private func history(_ matches: [JSONValue]) -> String {
        let rounds = Set(matches.map { $0["round"]?.number?.int64 ?? 0 })
        var last: Int64?
        return matches.map { match in
            let round = match["round"]?.number?.int64 ?? 0
            defer { last = round }
            let heading =
                rounds.count > 1 && round != last
                ? Terminal.faint("round \(round + 1), \(match.timeCell("time"))") + "\n" : ""
            return heading + outcome(match)
        }.joined()
    }

    /// `✓ hot-pump: started run_…`
    private func outcome(_ match: JSONValue) -> String {
        let run = match["run"]?.string.map { " \($0)" } ?? ""
        let detail = match["detail"]?.string.map { " (\($0))" } ?? ""
        let group = match["group"].map { ", \(RunGroup.text($0))" } ?? ""
        var text = "\(match.cell("rule")): \(match.cell("outcome"))\(run)\(group)\(detail)"
        if let end = match["run_end"], end["state"]?.string != RunState.succeeded.rawValue {
            text += "; \(RunVerdict(run: end).text)"
        }
        if let then = match["rule_version"]?.number?.text {
            let now = match["version_now"]
            if now?.isNull == true { text += "; the rule (v\(then)) is gone since" }
            if let now = now?.number?.text, now != then {
                text += "; the rule has changed since: v\(then) then, v\(now) now"
            }
        }
        return "\(Terminal.green("✓")) " + wrapped(text, indent: 2) + "\n"
    }

    // MARK: Today

    private func today(_ answer: JSONValue) -> String {
        let rules = answer["rules"]?.array ?? []
        let recorded = Set((answer["matches"]?.array ?? []).map { $0.cell("rule") })
        var text = ""
        for rule in rules where rule["matched"]?.bool == true && !recorded.contains(rule.cell("rule")) {
            let line =
                "\(Self.name(rule)) would \(rule["kind"]?.string == "resolves" ? "resolve" : "match") today; "
                + "it did not when the event came"
            text += "\(Terminal.yellow("~")) " + wrapped(line, indent: 2) + "\n"
        }
        for name in answer["disabled"]?.array ?? [] {
            text += "\(Terminal.yellow("~")) " + wrapped("\(name.cell) would match, but is disabled", indent: 2) + "\n"
        }
        let shown = rules.count { $0["matched"]?.bool == true }
        let matching = (answer["matching"]?.number?.int64).map(Int.init) ?? shown
        text += leftOut(.int(matching - shown), "more rule\(matching - shown == 1 ? "" : "s") would match today")
        return text + misses(rules, recorded: recorded) + furtherOff(answer, rules)
    }

    /// Of more rules than an answer holds, and of those for other sources, how many there are.
    private func furtherOff(_ answer: JSONValue, _ rules: [JSONValue]) -> String {
        func count(_ key: String) -> Int? { (answer[key]?.number?.int64).map(Int.init) }
        let others = rules.count(where: Self.isForOtherSource)
        let shown = rules.count { $0["matched"]?.bool == true }
        let hiddenMatches = (count("matching") ?? shown) - shown
        let hiddenOthers = (count("for_other_sources") ?? others) - others
        let further = (count("left_out") ?? 0) - hiddenOthers - hiddenMatches
        let unsaid = showsAll ? hiddenOthers : hiddenOthers + others
        return leftOut(.int(further), "more rules are further off; --rule NAME asks one of them")
            + (unsaid > 0 ? folded(unsaid) : "")
    }

    /// The rules that did not match, each with the clauses that failed.
    static func misses(_ rules: [JSONValue], showsAll: Bool, width: Int? = Terminal.width) -> String {
        let text = WhyText(showsAll: showsAll, width: width)
        let others = showsAll ? 0 : rules.count(where: isForOtherSource)
        return text.misses(rules, recorded: []) + (others > 0 ? text.folded(others) : "")
    }

    private func misses(_ rules: [JSONValue], recorded: Set<String>) -> String {
        rules.filter { $0["matched"]?.bool == false && (showsAll || !Self.isForOtherSource($0)) }.map { rule in
            let heading =
                recorded.contains(rule.cell("rule"))
                ? "\(Self.name(rule)) would not match today, because" : "\(rule.cell("rule")): no match, because"
            return "\(Terminal.red("✗")) \(heading)\n"
                + Explanation.text(ofRule: rule, failuresOnly: true, width: width)
        }.joined()
    }

    private func folded(_ count: Int) -> String {
        let text = count == 1 ? "1 rule is for another source" : "\(count) rules are for other sources"
        return Terminal.faint("\(text) (--all shows \(count == 1 ? "it" : "them"))\n")
    }

    // MARK: One rule

    private func versions(_ answer: JSONValue, rule name: String) -> String {
        let now = answer["rules"]?.array?.first
        var text = ""
        switch answer["then"] {
        case .null?: text += "\(Terminal.yellow("~")) there was no rule \(name) when the event came\n"
        case let then?: text += verdict(then, "then")
        case nil: break
        }
        guard let now else { return text + "\(Terminal.yellow("~")) there is no rule \(name) today\n" }
        text += verdict(now, answer["then"] == nil ? nil : "now")
        if now["enabled"]?.bool == false {
            text += "\(Terminal.yellow("~")) \(name) is switched off: it matches nothing\n"
        }
        return text
    }

    private func verdict(_ rule: JSONValue, _ when: String?) -> String {
        RuleVerdict.text(rule, note: when, width: width)
    }

    // MARK: Parts

    private static func name(_ rule: JSONValue) -> String {
        rule.cell("rule") + (rule["version"]?.number.map { " (v\($0.text))" } ?? "")
    }

    private static func isForOtherSource(_ rule: JSONValue) -> Bool {
        rule["matched"]?.bool == false
            && (rule["explanation"]?["all"]?.array ?? []).contains { clause in
                clause["path"]?.string == "source" && clause["matched"]?.bool == false
            }
    }

    private func leftOut(_ count: JSONValue?, _ what: String) -> String {
        guard let number = count?.number?.int64, number > 0 else { return "" }
        return Terminal.faint("\(number) \(what)\n")
    }

    private func wrapped(_ text: String, indent: Int) -> String {
        TextWrap(width: width, indent: indent).text(Terminal.harmless(text).replacing("\n", with: " "))
    }
}
