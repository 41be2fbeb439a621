import BelfryCore

/// Shows why a pattern matched or not: a tree of clauses, each with its verdict and the values the event had.
enum Explanation {
    /// Indented lines; with `failuresOnly` just the clauses that failed, which answer "why not?".
    static func text(_ explanation: JSONValue, failuresOnly: Bool) -> String {
        var lines: [String] = []
        collect(explanation, depth: 1, failuresOnly: failuresOnly, into: &lines)
        return lines.joined()
    }

    private static func collect(_ node: JSONValue, depth: Int, failuresOnly: Bool, into lines: inout [String]) {
        if let list = node.array {
            for element in list { collect(element, depth: depth, failuresOnly: failuresOnly, into: &lines) }
            return
        }
        guard node.object != nil else { return }
        let children = (node["children"] ?? node["clauses"])?.array ?? []
        let isMatch = node["matched"]?.bool ?? node["verdict"]?.bool ?? (node["verdict"]?.string == "matched")
        let isLeaf = children.isEmpty
        let isShown = failuresOnly ? isLeaf && !isMatch : true
        if isShown, let line = line(node, isMatch: isMatch) {
            lines.append(String(repeating: "  ", count: failuresOnly ? 1 : depth) + line + "\n")
        }
        for child in children { collect(child, depth: depth + 1, failuresOnly: failuresOnly, into: &lines) }
    }

    /// `✗ data.celsius: {"numeric":[">",90]} — the event has 85`
    private static func line(_ node: JSONValue, isMatch: Bool) -> String? {
        guard let path = node["path"]?.string else { return nil }
        let clause = node["clause"].map { ": " + ($0.string ?? $0.text) } ?? ""
        let seen = (node["seen"] ?? node["values"] ?? node["value"]).map(seenText) ?? ""
        let mark = isMatch ? Terminal.green("✓") : Terminal.red("✗")
        return mark + " " + Terminal.harmless((path.isEmpty ? "event" : path) + clause + seen)
    }

    private static func seenText(_ values: JSONValue) -> String {
        if values.isNull || values.array?.isEmpty == true { return ", but the event has none" }
        let shown = values.array.map { $0.map(\.text).joined(separator: ", ") } ?? values.text
        return "; the event has \(shown.prefix(200))"
    }
}
