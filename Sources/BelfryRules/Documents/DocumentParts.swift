/// The texts of a file's documents: what stands between the lines that begin with `---`.
///
/// YAML allows that line nowhere inside a document, not even in quotes, so lines are enough to find the parts.
struct DocumentParts {
    private var parts: [(firstLine: Int, lines: [Substring])] = []

    init(_ text: String) {
        var current = (firstLine: 1, lines: [Substring]())
        // By bytes: as a character, CR LF is neither.
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.map({ Substring($0) }).enumerated() {
            guard line == "---" || line.hasPrefix("--- ") || line == "---\r" else {
                current.lines.append(line)
                continue
            }
            parts.append(current)
            current = (index + 1, [line.dropFirst(3)])
        }
        parts.append(current)
    }

    /// The part that holds a line, without empty lines around it; it ends with a line feed.
    func text(at line: Int) -> String {
        let lines = (parts.last { $0.firstLine <= line } ?? parts.first)?.lines ?? []
        func isBlank(_ line: Substring) -> Bool { line.allSatisfy(\.isWhitespace) }
        guard let first = lines.firstIndex(where: { !isBlank($0) }), let last = lines.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return lines[first...last].joined(separator: "\n") + "\n"
    }
}
