import BelfryCore

/// Shows why a pattern matched or not: `{matched, all: [{path, expected, matched, seen, note?}, {any: [{matched, all}]}]}`.
enum Explanation {
    /// Indented lines; with `failuresOnly` just the clauses that failed, which answer "why not?".
    static func text(_ explanation: JSONValue, failuresOnly: Bool) -> String {
        lines(explanation, depth: 1, failuresOnly: failuresOnly).joined()
    }

    private static func lines(_ group: JSONValue, depth: Int, failuresOnly: Bool) -> [String] {
        inReadingOrder(group["all"]?.array ?? []).flatMap { clause -> [String] in
            guard let ways = clause["any"]?.array else {
                let isFailure = clause["matched"]?.bool == false || clause["note"]?.string != nil
                return failuresOnly && !isFailure ? [] : [indent(depth) + line(clause) + "\n"]
            }
            let isMatch = ways.contains { $0["matched"]?.bool == true }
            if failuresOnly && isMatch { return [] }
            // The nearest way comes first; the others only repeat that they were further off.
            let shown = failuresOnly ? ways.prefix(1) : ways[...]
            let heading = "\(mark(isMatch)) $or, \(ways.count) ways" + (failuresOnly ? "; the nearest:" : ":")
            return [indent(depth) + heading + "\n"]
                + shown.flatMap { lines($0, depth: depth + 1, failuresOnly: failuresOnly) }
        }
    }

    /// What decides most comes first: the source, then the type.
    private static func inReadingOrder(_ clauses: [JSONValue]) -> [JSONValue] {
        func isAt(_ path: String, _ clause: JSONValue) -> Bool { clause["path"]?.string == path }
        return clauses.filter { isAt("source", $0) } + clauses.filter { isAt("type", $0) }
            + clauses.filter { !isAt("source", $0) && !isAt("type", $0) }
    }

    /// `✗ data.celsius: numeric [">",90] — saw 85`
    private static func line(_ clause: JSONValue) -> String {
        let expected = (clause["expected"]?.array ?? []).map { value in
            value.object?.members.first.map { "\($0.key) \($0.value.text)" } ?? value.text
        }
        let seen = (clause["seen"]?.array ?? []).map(\.text)
        let left = (clause["seen_count"]?.number?.int64 ?? 0) - Int64(seen.count)
        let more = left > 0 ? " and \(left) more" : ""
        let saw = seen.isEmpty ? "saw no value" : "saw \(seen.joined(separator: ", "))\(more)"
        let note = clause["note"]?.string.map { " (\($0))" } ?? ""
        let text = "\(clause.cell("path")): \(expected.joined(separator: " or ")) — \(saw)\(note)"
        return mark(clause["matched"]?.bool ?? false) + " " + Terminal.harmless(text).replacing("\n", with: " ")
    }

    private static func mark(_ isMatch: Bool) -> String { isMatch ? Terminal.green("✓") : Terminal.red("✗") }
    private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }
}
