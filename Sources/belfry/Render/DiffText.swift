import BelfryCore

/// A difference as people read it: coloured on a terminal, as it is in a pipe.
enum DiffText {
    static func of(_ diff: String) -> String {
        let lines = Terminal.harmless(diff).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return lines.map { line in
            let text = String(line)
            switch line.first {
            case "+": return Terminal.green(text) + "\n"
            case "-": return Terminal.red(text) + "\n"
            case "@": return Terminal.faint(text) + "\n"
            default: return text + "\n"
            }
        }.joined()
    }
}
