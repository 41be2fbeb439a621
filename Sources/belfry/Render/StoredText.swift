import BelfryCore

/// A stored document as it was written, below a line that says which version it is.
enum StoredText {
    /// - Parameters:
    ///   - facts: members to name in that line, beside the version.
    ///   - notes: lines below it.
    static func of(_ answer: JSONValue, facts: [String], notes: [String] = []) -> String {
        let named = facts.map { ", \($0) \(answer.cell($0))" }.joined()
        let text = Terminal.harmless(text(answer))
        let head = ["version \(answer.cell("version"))\(named)"] + notes
        return head.map { Terminal.faint("# \($0)") + "\n" }.joined() + text
            + (text.hasSuffix("\n") ? "" : "\n")
    }

    /// The text; of a document that was made over the API, its members, one a line.
    private static func text(_ answer: JSONValue) -> String {
        let text = answer["text"]?.string ?? ""
        guard text.isEmpty || text.hasPrefix("{"), let members = answer["document"]?.object?.members else {
            return text
        }
        // What kind of document it is stands first, as people write it.
        let kinds = Set(DocumentKind.allCases.map(\.rawValue))
        let ordered = members.filter { kinds.contains($0.key) } + members.filter { !kinds.contains($0.key) }
        return ordered.map { "\($0.key): \($0.value.text)\n" }.joined()
    }
}
