import BelfryCore

/// The regular expressions (Go's syntax) that say no more than equal, begins with, ends with or contains.
///
/// Read are literals, escaped punctuation, `.*`, `^` at the beginning, `$` at the end, groups of alternatives, `[.]`
/// and a leading `(?s)`. Whatever else stands there may mean more than a pattern can say, and is refused.
struct HookRegex {
    /// Why an expression is none of these.
    struct Refusal: Error {
        var reason: String
    }

    private enum Item: Equatable {
        case text(String)
        /// `.*`
        case any
        /// `.+`
        case some
        case start
        case end
    }

    private let scalars: [Unicode.Scalar]
    private var index = 0
    private let dotCrossesLines: Bool

    private init(_ text: String) {
        dotCrossesLines = text.hasPrefix("(?s)")
        scalars = Array((dotCrossesLines ? text.dropFirst(4) : text[...]).unicodeScalars)
    }

    /// What a value is held against; one of the tests is enough.
    static func tests(of text: String) throws(Refusal) -> [FieldTest] {
        var reader = HookRegex(text)
        let alternatives = try reader.alternation()
        guard reader.index == reader.scalars.count else { throw Refusal(reason: "a ')' without '('") }
        var tests: [FieldTest] = []
        for items in alternatives {
            let test = try reader.test(items)
            if !tests.contains(test) { tests.append(test) }
        }
        return tests
    }

    // MARK: Reading

    private var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private mutating func alternation() throws(Refusal) -> [[Item]] {
        var all = try sequence()
        while next == "|" {
            index += 1
            all += try sequence()
        }
        return all
    }

    private mutating func sequence() throws(Refusal) -> [[Item]] {
        var sequences: [[Item]] = [[]]
        while let scalar = next, scalar != "|", scalar != ")" {
            let atoms = try atom()
            if let quantifier = next, "*+?{".unicodeScalars.contains(quantifier) {
                throw Refusal(reason: "'\(quantifier)' after anything but '.' says more than a pattern can")
            }
            sequences = sequences.flatMap { sequence in atoms.map { sequence + $0 } }
            guard sequences.count <= Limits.importAlternativesMax else {
                throw Refusal(reason: "more than \(Limits.importAlternativesMax) alternatives")
            }
        }
        return sequences
    }

    private mutating func atom() throws(Refusal) -> [[Item]] {
        let scalar = scalars[index]
        index += 1
        switch scalar {
        case "^": return [[.start]]
        case "$": return [[.end]]
        case ".": return [[try repeatedDot()]]
        case "(": return try group()
        case "[":
            guard index + 1 < scalars.count, scalars[index + 1] == "]", !"^\\]".unicodeScalars.contains(scalars[index])
            else {
                throw Refusal(reason: "a class of characters says more than a pattern can")
            }
            defer { index += 2 }
            return [[.text(String(scalars[index]))]]
        case "\\":
            guard let escaped = next, (0x21...0x7E).contains(escaped.value), !escaped.properties.isAlphabetic,
                escaped.properties.numericType == nil
            else {
                throw Refusal(reason: "the escape \\\(next.map { String($0) } ?? "") says more than a pattern can")
            }
            index += 1
            return [[.text(String(escaped))]]
        case "*", "+", "?", "{", "}", "]": throw Refusal(reason: "'\(scalar)' stands where it means nothing simple")
        default: return [[.text(String(scalar))]]
        }
    }

    private mutating func repeatedDot() throws(Refusal) -> Item {
        guard let quantifier = next, quantifier == "*" || quantifier == "+" else {
            throw Refusal(reason: "'.' alone stands for one character, which a pattern cannot say")
        }
        index += 1
        // Which match is taken first does not matter to whether there is one.
        if next == "?" { index += 1 }
        return quantifier == "*" ? .any : .some
    }

    private mutating func group() throws(Refusal) -> [[Item]] {
        if next == "?" {
            guard index + 1 < scalars.count, scalars[index + 1] == ":" else {
                throw Refusal(reason: "a flag or named group says more than a pattern can")
            }
            index += 2
        }
        let inner = try alternation()
        guard next == ")" else { throw Refusal(reason: "a '(' without ')'") }
        index += 1
        return inner
    }

    // MARK: Meaning

    private func test(_ items: [Item]) throws(Refusal) -> FieldTest {
        let isAnchored = items.first == .start, isEnded = items.last == .end && items.count > (isAnchored ? 1 : 0)
        let inner = items.dropFirst(isAnchored ? 1 : 0).dropLast(isEnded ? 1 : 0)
        guard !inner.contains(.start), !inner.contains(.end) else {
            throw Refusal(reason: "'^' or '$' in the middle")
        }
        if inner.contains(.some) {
            guard inner.count == 1 else {
                throw Refusal(reason: "'.+' asks for a character, which a pattern cannot say")
            }
            return .notEmpty
        }
        // An end that is not anchored stands for any text, also line feeds; a `.*` beside it adds nothing.
        var parts = [""]
        var staysInLine = false
        var run: [Item] = isAnchored ? [] : [.start]
        for item in Array(inner) + (isEnded ? [] : [.end]) {
            guard case .text(let text) = item else {
                run.append(item)
                continue
            }
            if !run.isEmpty {
                parts.append("")
                staysInLine = staysInLine || !dotCrossesLines && run.allSatisfy { $0 == .any }
            }
            run = []
            parts[parts.count - 1] += text
        }
        if !run.isEmpty {
            parts.append("")
            staysInLine = staysInLine || !dotCrossesLines && run.allSatisfy { $0 == .any }
        }
        return Self.test(parts, staysInLine: staysInLine)
    }

    private static func test(_ parts: [String], staysInLine: Bool) -> FieldTest {
        if parts.count == 1 { return .equals(parts[0]) }
        if parts.allSatisfy(\.isEmpty) { return staysInLine ? .wildcard(["", ""], staysInLine: true) : .present }
        if !staysInLine, parts.count == 2, parts[1].isEmpty { return .prefix(parts[0]) }
        if !staysInLine, parts.count == 2, parts[0].isEmpty { return .suffix(parts[1]) }
        return .wildcard(parts, staysInLine: staysInLine)
    }
}
