import BelfryCore

/// Whether one rule matches one event, with all of its clauses: `{rule, version?, matched, kind?, explanation, resolve?}`.
enum RuleVerdict {
    /// - Parameter note: what the name is followed by: which of two versions it is.
    static func text(_ rule: JSONValue, note: String? = nil, width: Int? = Terminal.width) -> String {
        let isMatch = rule["matched"]?.bool == true
        let version = rule["version"]?.number.map { "v\($0.text)" }
        let facts = [version, note].compactMap { $0 }
        let name = rule.cell("rule") + (facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))")
        let verdict =
            switch rule["kind"]?.string {
            case "resolves"?: Terminal.green("resolves")
            case _?: Terminal.green("matched")
            case nil: Terminal.yellow("not matched")
            }
        return "\(Explanation.mark(isMatch)) \(name): \(verdict)\n"
            + Explanation.text(ofRule: rule, failuresOnly: false, width: width)
    }
}
