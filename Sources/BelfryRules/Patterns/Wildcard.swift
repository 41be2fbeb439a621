/// Text with `*`, each standing for any bytes or none; `\*` and `\\` are the characters themselves.
struct Wildcard: Hashable, Sendable {
    /// The literal parts between the stars: one more than there are stars.
    let parts: [[UInt8]]

    var starCount: Int { parts.count - 1 }

    /// - Throws: why the text is no wildcard. `**` is refused as event-ruler does: it means nothing that `*` does not.
    init(_ text: String) throws(PatternIssue) {
        var parts: [[UInt8]] = [[]]
        var isEscaped = false
        var isAfterStar = false
        for byte in text.utf8 {
            if isEscaped {
                guard byte == UInt8(ascii: "*") || byte == UInt8(ascii: "\\") else { throw Self.badEscape }
                parts[parts.count - 1].append(byte)
                isEscaped = false
                isAfterStar = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "*") {
                guard !isAfterStar else {
                    throw PatternIssue("'**' is not allowed", hint: "one '*' stands for any text")
                }
                parts.append([])
                isAfterStar = true
            } else {
                parts[parts.count - 1].append(byte)
                isAfterStar = false
            }
        }
        guard !isEscaped else { throw Self.badEscape }
        self.parts = parts
    }

    private static let badEscape = PatternIssue(
        #"in a wildcard '\' may only stand before '*' or '\'"#, hint: #"write '\\' for the character itself"#)

    /// Whether all of `text` matches. Each part between two stars is looked for once, leftmost first, which is right
    /// because the star before it takes whatever is left over.
    func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let first = parts[0]
        let last = parts[parts.count - 1]
        guard parts.count > 1 else { return text.elementsEqual(first) }
        guard text.count >= first.count + last.count, text.starts(with: first),
            text.suffix(last.count).elementsEqual(last)
        else { return false }
        var rest = text.dropFirst(first.count).dropLast(last.count)
        for part in parts.dropFirst().dropLast() {
            guard let end = Self.endOfFirst(part, in: rest) else { return false }
            rest = rest[end...]
        }
        return true
    }

    /// Knuth, Morris and Pratt's search: no byte of the text is looked at twice.
    private static func endOfFirst(_ part: [UInt8], in text: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        guard text.count >= part.count else { return nil }
        if part.count < 2 {
            guard let byte = part.first else { return text.startIndex }
            return text.firstIndex(of: byte).map { $0 + 1 }
        }
        let borders = borders(of: part)
        var matched = 0
        for index in text.indices {
            while matched > 0, text[index] != part[matched] { matched = borders[matched - 1] }
            if text[index] == part[matched] { matched += 1 }
            if matched == part.count { return index + 1 }
        }
        return nil
    }

    /// For each beginning of `part`, the length of its longest proper beginning that is also its end.
    private static func borders(of part: [UInt8]) -> [Int] {
        var borders = [Int](repeating: 0, count: part.count)
        var length = 0
        for index in part.indices.dropFirst() {
            while length > 0, part[index] != part[length] { length = borders[length - 1] }
            if part[index] == part[length] { length += 1 }
            borders[index] = length
        }
        return borders
    }
}
