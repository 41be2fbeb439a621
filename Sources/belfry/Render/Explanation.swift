import BelfryCore

/// Shows why a rule matched or not, as a tree of clauses:
/// `{matched, all: [{path, expected, matched, seen, seen_count, note?}, {any: [{matched, all}]}]}`.
struct Explanation {
    /// Values of one list that are shown.
    private static let valuesMax = 5

    /// Just the clauses that failed, which answer "why not?".
    var failuresOnly: Bool
    /// Characters of a line, where one is too long for a terminal; nil in a pipe, where a clause is a line.
    var width = Terminal.width

    /// Indented lines of one pattern.
    static func text(_ explanation: JSONValue, failuresOnly: Bool, width: Int? = Terminal.width) -> String {
        Explanation(failuresOnly: failuresOnly, width: width).lines(explanation, depth: 1).joined()
    }

    /// A rule's patterns: of one with `resolve` or waits all under their names, the one that decided first.
    static func text(ofRule rule: JSONValue, failuresOnly: Bool, width: Int? = Terminal.width) -> String {
        let explanation = Explanation(failuresOnly: failuresOnly, width: width)
        let when = rule["explanation"] ?? .null
        let waits = rule["waits"]?.array ?? []
        guard rule["resolve"] != nil || !waits.isEmpty else { return explanation.lines(when, depth: 1).joined() }
        var named: [(String, JSONValue, String?)] = [("when", when, nil)]
        if let resolve = rule["resolve"] {
            named.insert(("resolve", resolve, nil), at: rule["kind"]?.string == "resolves" ? 0 : 1)
        }
        named += waits.map { wait in
            let missing = (wait["missing"]?.array ?? []).compactMap(\.string)
            let note = missing.isEmpty ? nil : "the event has no \(missing.joined(separator: ", ")): it is no run's"
            return ("wait of \(wait.cell("step"))", wait["explanation"] ?? .null, note)
        }
        return named.map { name, pattern, note in
            let isMatch = pattern["matched"]?.bool == true && note == nil
            let noted = note.map { indent(2) + $0 + "\n" } ?? ""
            return "  \(mark(isMatch)) \(name)\n" + noted + explanation.lines(pattern, depth: 2).joined()
        }.joined()
    }

    private func lines(_ group: JSONValue, depth: Int) -> [String] {
        let isMatch = group["matched"]?.bool == true
        return Self.inReadingOrder(group["all"]?.array ?? []).flatMap { clause -> [String] in
            if let ways = clause["any"]?.array { return lines(ways: ways, depth: depth) }
            let isFailure = clause["matched"]?.bool == false
            return failuresOnly && (isMatch || !isFailure) ? [] : [line(clause, depth: depth)]
        }
    }

    private func lines(ways: [JSONValue], depth: Int) -> [String] {
        let isMatch = ways.contains { $0["matched"]?.bool == true }
        if failuresOnly && isMatch { return [] }
        // The nearest way comes first; the others only repeat that they were further off.
        let shown = failuresOnly ? ways.prefix(1) : ways[...]
        let heading = "\(Self.mark(isMatch)) $or, \(ways.count) ways" + (failuresOnly ? "; the nearest:" : ":")
        return [Self.indent(depth) + heading + "\n"]
            + shown.enumerated().flatMap { index, way in
                let number = shown.count > 1 ? [Self.indent(depth + 1) + Terminal.faint("way \(index + 1)") + "\n"] : []
                return number + lines(way, depth: depth + (shown.count > 1 ? 2 : 1))
            }
    }

    /// What decides most comes first: the source, then the type.
    private static func inReadingOrder(_ clauses: [JSONValue]) -> [JSONValue] {
        func isAt(_ path: String, _ clause: JSONValue) -> Bool { clause["path"]?.string == path }
        return clauses.filter { isAt("source", $0) } + clauses.filter { isAt("type", $0) }
            + clauses.filter { !isAt("source", $0) && !isAt("type", $0) }
    }

    /// `✗ data.celsius: numeric [">",90] — saw 85`; on a terminal that is too narrow for it, in lines.
    private func line(_ clause: JSONValue, depth: Int) -> String {
        let expected = (clause["expected"]?.array ?? []).map { value in
            value.object?.members.first.map { "\($0.key) \($0.value.text)" } ?? value.text
        }
        let seen = (clause["seen"]?.array ?? []).map(\.text)
        let count = (clause["seen_count"]?.number?.int64).map(Int.init)
        let saw = seen.isEmpty ? "saw no value" : "saw " + Self.list(seen, ", ", of: count)
        let note = clause["note"]?.string.map { " (\($0))" } ?? ""
        let asked = "\(clause.cell("path")): " + Self.list(expected, " or ")
        let mark = Self.mark(clause["matched"]?.bool ?? false)
        let parts = [asked, "— " + saw + note].map { Terminal.harmless($0).replacing("\n", with: " ") }
        let wrap = TextWrap(width: width, indent: 2 * depth + 2)
        let text = wrap.isTooLong(parts.joined(separator: " ")) ? parts.map(wrap.text) : [parts.joined(separator: " ")]
        return "\(Self.indent(depth))\(mark) " + text.joined(separator: "\n" + wrap.margin) + "\n"
    }

    private static func list(_ texts: [String], _ separator: String, of count: Int? = nil) -> String {
        let shown = texts.prefix(valuesMax)
        let left = (count ?? texts.count) - shown.count
        return shown.joined(separator: separator) + (left > 0 ? " and \(left) more" : "")
    }

    static func mark(_ isMatch: Bool) -> String { isMatch ? Terminal.green("✓") : Terminal.red("✗") }
    private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }
}
