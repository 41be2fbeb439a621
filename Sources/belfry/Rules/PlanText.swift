import BelfryCore

/// What an apply did, or would do: a line for each document, and how many there were of each kind.
enum PlanText {
    private static let signs = [("created", "+"), ("changed", "~"), ("removed", "-")]

    /// - Parameter answer: of `POST /v1/documents`.
    static func of(_ answer: JSONValue, isDryRun: Bool) -> String {
        let changes = answer["changes"]?.array ?? []
        let unchanged = answer["unchanged"]?.number?.int64 ?? 0
        guard !changes.isEmpty || unchanged > 0 else { return "nothing in it\n" }
        var lines = ""
        var counts: [String] = []
        for (word, sign) in signs {
            let ofThis = changes.filter { $0["change"]?.string == word }
            lines += ofThis.map { line($0, sign) }.joined()
            // Only a folder that is the whole truth, and --prune, remove anything.
            if word != "removed" || !ofThis.isEmpty { counts.append("\(ofThis.count) \(word)") }
        }
        counts.append("\(unchanged) unchanged")
        return lines + "\(isDryRun ? "would be applied" : "applied"): \(counts.joined(separator: ", "))\n"
    }

    /// `~ rule/triage  limits, when`, with its diff below if there is one.
    private static func line(_ change: JSONValue, _ sign: String) -> String {
        var notes: [String] = []
        if sign == "~" {
            let keys = change["keys"]?.array ?? []
            notes.append(keys.isEmpty ? "same meaning" : change.cell("keys"))
        }
        if sign != "+", change["owner_before"]?.string == "file" { notes.append("from the rules folder") }
        let note = notes.isEmpty ? "" : "  " + Terminal.faint(notes.joined(separator: "; "))
        return "\(sign) \(change.cell("document"))\(note)\n" + (change["diff"]?.string.map(DiffText.of) ?? "")
    }
}
