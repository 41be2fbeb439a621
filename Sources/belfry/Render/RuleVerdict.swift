import BelfryCore

/// Whether one rule matches one event, with all of its clauses: `{rule, version?, matched, kind?, explanation, resolve?, waits?}`.
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
            case "resumes"?: Terminal.green("resumes")
            case _?: Terminal.green("matched")
            case nil: Terminal.yellow("not matched")
            }
        let resumed = (rule["waits"]?.array ?? []).filter { $0["resumes"]?.bool == true }.map { $0.cell("step") }
        return "\(Explanation.mark(isMatch)) \(name): \(verdict)\n"
            + resumed.map { "  this event resumes runs of \(rule.cell("rule")) that wait at \($0)\n" }.joined()
            + Explanation.text(ofRule: rule, failuresOnly: false, width: width)
    }
}
