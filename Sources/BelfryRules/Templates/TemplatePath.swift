import BelfryCore

/// A path into the context of a template.
public struct TemplatePath: Sendable, Hashable {
    enum Part: Sendable, Hashable {
        case key(String)
        case index(Int)
    }

    /// As it was written, without white space around it.
    let text: String
    let root: String
    let parts: [Part]

    init(_ written: Substring) throws(PatternIssue) {
        let scalars = Array(written.unicodeScalars)
        var reader = Reader(scalars: scalars)
        reader.skipSpace()
        guard let root = reader.name() else { throw Self.badStart(reader.rest) }
        var parts: [Part] = []
        while let part = try reader.part() { parts.append(part) }
        reader.skipSpace()
        guard reader.isAtEnd else {
            throw PatternIssue(
                "unexpected '\(reader.rest.prefix(20))'",
                hint: #"a place holds one path: event.data.name, ["any key"], [0]"#)
        }
        self.root = root
        self.parts = parts
        text = String(written).trimmingSpace
    }

    private static func badStart(_ rest: String) -> PatternIssue {
        guard let first = rest.unicodeScalars.first else { return PatternIssue("an empty place") }
        if "#/^!>&{".unicodeScalars.contains(first) {
            return PatternIssue("'\(first)' has no meaning here: there is no logic", hint: "a place holds one path")
        }
        return PatternIssue("a path begins with a root such as event")
    }

    /// The value that the path leads to; nil if something on the way is not there.
    func value(in context: JSONValue) -> JSONValue? {
        var value = context[root] ?? (root == "data" ? context[path: ["event", "data"]] : nil)
        for part in parts {
            switch part {
            case .key(let key): value = value?[key]
            case .index(let index): value = value?.array.flatMap { $0.indices.contains(index) ? $0[index] : nil }
            }
        }
        return value
    }

    private struct Reader {
        let scalars: [Unicode.Scalar]
        var index = 0

        var isAtEnd: Bool { index == scalars.count }
        var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
        var rest: String { Self.string(scalars[index...]) }

        static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars)
            return String(view)
        }

        mutating func skipSpace() {
            while let scalar = next, scalar == " " || scalar == "\t" || scalar == "\n" { index += 1 }
        }

        mutating func name() -> String? {
            let start = index
            while let scalar = next,
                scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_"
                    || scalar == "-"
            {
                index += 1
            }
            return index > start ? Self.string(scalars[start..<index]) : nil
        }

        mutating func part() throws(PatternIssue) -> Part? {
            if next == "." {
                index += 1
                guard let name = name() else {
                    throw PatternIssue("a name must follow '.'", hint: #"other keys stand in brackets: ["a key"]"#)
                }
                return .key(name)
            }
            guard next == "[" else { return nil }
            index += 1
            let part = try next == "\"" ? quotedKey() : number()
            guard next == "]" else { throw PatternIssue("'[' without ']'") }
            index += 1
            return part
        }

        private mutating func number() throws(PatternIssue) -> Part {
            let start = index
            while let scalar = next, ("0"..."9").contains(scalar) { index += 1 }
            guard index > start, index - start < 10, let value = Int(Self.string(scalars[start..<index])) else {
                throw PatternIssue(#"'[' must be followed by an index or a key in quotes: [0], ["a key"]"#)
            }
            return .index(value)
        }

        /// A key up to the closing quote; `\"` and `\\` are the characters themselves.
        private mutating func quotedKey() throws(PatternIssue) -> Part {
            index += 1
            var key = String.UnicodeScalarView()
            while let scalar = next, scalar != "\"" {
                index += 1
                if scalar == "\\", let escaped = next, escaped == "\"" || escaped == "\\" {
                    index += 1
                    key.append(escaped)
                } else {
                    key.append(scalar)
                }
            }
            guard next == "\"" else { throw PatternIssue("a key in quotes that does not end") }
            index += 1
            return .key(String(key))
        }
    }
}

extension String {
    var trimmingSpace: String {
        let isSpace = { (character: Character) in character.isWhitespace }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
