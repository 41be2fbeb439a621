/// Breaks a long line between its words, with every further line set in.
struct TextWrap {
    /// Characters of a line; nil: nothing is broken.
    var width: Int?
    /// Where the first line begins; further ones begin two characters behind it.
    var indent: Int

    /// What stands before a further line.
    var margin: String { String(repeating: " ", count: indent + 2) }

    func isTooLong(_ text: String) -> Bool { width.map { indent + text.count > $0 } ?? false }

    func text(_ text: String) -> String {
        guard let width, isTooLong(text) else { return text }
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let room = width - indent - (lines.isEmpty ? 0 : 2)
            if !line.isEmpty, line.count + 1 + word.count > room {
                lines.append(line)
                line = String(word)
            } else {
                line += line.isEmpty ? String(word) : " \(word)"
            }
        }
        return (lines + [line]).joined(separator: "\n" + margin)
    }
}
