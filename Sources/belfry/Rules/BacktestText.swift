import BelfryCore

/// What `rules backtest` says: what would have happened, grouped how, what nearly matched, and what did happen.
struct BacktestText {
    let answer: JSONValue
    let width: Int?

    static func of(_ answer: JSONValue, width: Int? = Terminal.width) -> String {
        BacktestText(answer: answer, width: width).text
    }

    private var result: JSONValue { answer["result"] ?? .null }

    private var text: String {
        [head, kinds, groups, times, nearMisses, stored, examples].filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private func count(_ value: JSONValue?) -> Int64 { value?.number?.int64 ?? 0 }

    private func heading(_ text: String) -> String { Terminal.bold(text) + "\n" }

    // MARK: Parts

    private var head: String {
        let source = answer["source"]?.string.map { " of \($0)" } ?? ""
        let resolving = count(result["resolving"])
        var text = Terminal.bold(answer.cell("rule")) + ", \(answer.timeCell("from")) to \(answer.timeCell("to"))\n"
        text += "\(count(result["events"]).counted("event"))\(source), "
        text += count(result["matches"]).counted("match") + (resolving > 0 ? ", \(resolving) of them resolving" : "")
        text += ", \(count(result["runs"]).counted("run"))\n"
        text += line(Self.outcomes(result["outcomes"]), before: "  outcomes: ")
        for note in result["notes"]?.array ?? [] { text += "  \(Terminal.yellow("~")) \(wrapped(note.cell))\n" }
        return text
    }

    private var kinds: String {
        table("Events that could match", ["source", "type", "events", "matches"], result["by_type"])
    }

    private var groups: String {
        guard let groups = result["groups"] else { return "" }
        let exact = groups["is_exact"]?.bool == false ? " at least" : ""
        return table("Groups:\(exact) \(count(groups["count"]))", ["by", "matches", "runs"], groups)
    }

    private var times: String {
        guard let busiest = result["times"]?["most"], !busiest.isNull, count(result["runs"]) > 0 else { return "" }
        let unit = result["times"]?.cell("unit") ?? "hour"
        let takes = Duration.milliseconds(count(answer["run_takes_ms"]))
        let waited = count(result["runs_queued"])
        let expired = count(result["runs_expired"])
        let most =
            "most in \(unit == "day" ? "a day" : "an hour"): \(count(busiest["runs"]).counted("run"))"
            + ", from \(busiest.timeCell("from"))"
        return heading("Runs") + "  \(most)\n"
            + (waited > 0 ? "  \(waited) would have to wait, if each takes \(takes.shorthand)\n" : "")
            + (expired > 0 ? "  \(expired) would expire by limits.max_wait\n" : "")
    }

    private var nearMisses: String {
        let misses = result["near_misses"] ?? .null
        guard count(misses["count"]) > 0 else { return "" }
        let clauses = (misses["by_clause"]?.array ?? []).map { clause in
            "  \(clause.cell("events"))  " + wrapped(clause.cell("clause")) + "\n"
        }
        return heading("Nearly: \(count(misses["count"]).counted("event")) failed by one clause alone")
            + clauses.joined()
    }

    private var stored: String {
        let stored = result["stored"] ?? .null
        let matches = count(stored["matches"])
        guard matches > 0 else {
            return heading("The stored rule") + "  there is none of this name, or it matched nothing in that time\n"
        }
        let onlyStored = count(stored["only_stored"]?["count"])
        let onlyDraft = count(stored["only_draft"]?["count"])
        return heading("The stored rule: \(matches.counted("match")), \(count(stored["runs"]).counted("run"))")
            + line(Self.outcomes(stored["outcomes"]), before: "  outcomes: ")
            + "  both match \(count(stored["both"])), the draft alone \(onlyDraft), "
            + "the stored rule alone \(onlyStored)\n"
            + only("the draft alone", stored["only_draft"]) + only("the stored rule alone", stored["only_stored"])
    }

    private func only(_ who: String, _ events: JSONValue?) -> String {
        let ids = (events?["examples"]?.array ?? []).prefix(3).map(\.cell)
        return ids.isEmpty ? "" : line("\(who): " + ids.joined(separator: " "), before: "    ")
    }

    private var examples: String {
        let examples = result["examples"]?.array ?? []
        guard !examples.isEmpty else { return "" }
        return heading("First matches")
            + Table(["received", "type", "subject", "outcome", "event"], examples) { event in
                [
                    event.timeCell("received"), event.cell("type"), event.cell("subject"), event.cell("outcome"),
                    event.cell("event"),
                ]
            }.text(width: width)
    }

    // MARK: Pieces

    private func table(_ title: String, _ columns: [String], _ counts: JSONValue?) -> String {
        let rows = counts?["top"]?.array ?? []
        guard !rows.isEmpty else { return "" }
        let rest = counts?["others"] ?? .null
        let others = columns.filter { rest[$0].map { count($0) > 0 } ?? false }
            .map { "\(count(rest[$0])) \($0)" }.joined(separator: ", ")
        return heading(title)
            + Table(columns, rows) { row in
                columns.map { key in key == "by" ? row["by"]?.array.map(Self.values) ?? row.cell("by") : row.cell(key) }
            }.text(width: width) + (others.isEmpty ? "" : Terminal.faint("others: \(others)\n"))
    }

    private static func values(_ values: [JSONValue]) -> String {
        values.isEmpty ? "(all)" : values.map { $0.isNull ? "null" : $0.cell }.joined(separator: ", ")
    }

    private static func outcomes(_ outcomes: JSONValue?) -> String {
        let members = outcomes?.object?.members ?? []
        return members.isEmpty ? "none" : members.map { "\($0.value.text) \($0.key)" }.joined(separator: ", ")
    }

    private func line(_ text: String, before: String) -> String {
        before + TextWrap(width: width, indent: before.count).text(text) + "\n"
    }

    private func wrapped(_ text: String) -> String {
        TextWrap(width: width, indent: 6).text(Terminal.harmless(text).replacing("\n", with: " "))
    }
}
