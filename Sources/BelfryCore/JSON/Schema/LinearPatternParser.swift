/// A part of a regular expression.
indirect enum PatternPiece: Sendable {
    case set(ScalarSet)
    case anchor(LinearPattern.Anchor)
    case sequence([PatternPiece])
    case choice([PatternPiece])
    case repeated(PatternPiece, least: Int, most: Int?)
}

/// Reads the text of a ``LinearPattern``.
struct LinearPatternParser {
    private let scalars: [Unicode.Scalar]
    private var index = 0
    private let isTooLong: Bool

    init(_ text: String) {
        isTooLong = text.utf8.count > Limits.schemaPatternBytesMax
        scalars = isTooLong ? [] : Array(text.unicodeScalars)
    }

    mutating func parse() throws(LinearPattern.Issue) -> PatternPiece {
        if isTooLong { throw .init(reason: "is longer than \(Limits.schemaPatternBytesMax) bytes") }
        let piece = try parseChoice(depth: 0)
        if index < scalars.count { throw issue("has a ')' without '('; write '\\)' for the character itself") }
        return piece
    }

    private var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private func issue(_ reason: String) -> LinearPattern.Issue {
        LinearPattern.Issue(reason: "\(reason) (at character \(index + 1))")
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        index += 1
        return true
    }

    private mutating func take(_ text: String) -> Bool {
        guard scalars[index...].starts(with: text.unicodeScalars) else { return false }
        index += text.unicodeScalars.count
        return true
    }

    private mutating func parseChoice(depth: Int) throws(LinearPattern.Issue) -> PatternPiece {
        guard depth <= Limits.schemaPatternDepthMax else {
            throw issue("has groups nested deeper than \(Limits.schemaPatternDepthMax)")
        }
        var branches = [try parseSequence(depth: depth)]
        while take("|") { branches.append(try parseSequence(depth: depth)) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func parseSequence(depth: Int) throws(LinearPattern.Issue) -> PatternPiece {
        var pieces: [PatternPiece] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let piece = try parseAtom(depth: depth)
            pieces.append(try parseRepetition(of: piece))
        }
        return pieces.count == 1 ? pieces[0] : .sequence(pieces)
    }

    private mutating func parseAtom(depth: Int) throws(LinearPattern.Issue) -> PatternPiece {
        guard let scalar = next else { return .sequence([]) }
        switch scalar {
        case "(": return try parseGroup(depth: depth)
        case "[":
            index += 1
            return .set(try parseClass())
        case "*", "+", "?":
            throw issue("has a '\(scalar)' that repeats nothing; write '\\\(scalar)' for the character itself")
        case "{", "}", "]":
            throw issue("has a '\(scalar)' that stands alone; write '\\\(scalar)' for the character itself")
        default: index += 1
        }
        switch scalar {
        case ".": return .set(.anyButLineEnd)
        case "^": return .anchor(.start)
        case "$": return .anchor(.end)
        case "\\":
            if take("b") { return .anchor(.wordEdge) }
            if take("B") { return .anchor(.noWordEdge) }
            return .set(try parseEscape())
        default: return .set(ScalarSet(scalar))
        }
    }

    private mutating func parseGroup(depth: Int) throws(LinearPattern.Issue) -> PatternPiece {
        index += 1
        if take("?") {
            if ["=", "!", "<=", "<!"].contains(where: { scalars[index...].starts(with: $0.unicodeScalars) }) {
                throw issue("looks around ('(?=', '(?!', '(?<=', '(?<!'), which takes a way back and is not supported")
            }
            if take("<") {
                while let scalar = next, scalar != ">" { index += 1 }
                guard take(">") else { throw issue("has a group whose name does not end") }
            } else if !take(":") {
                throw issue("has a group of an unknown kind; '(…)', '(?:…)' and '(?<name>…)' are supported")
            }
        }
        let piece = try parseChoice(depth: depth + 1)
        guard take(")") else { throw issue("has a '(' without ')'") }
        return piece
    }

    // MARK: - Repetition

    private mutating func parseRepetition(of piece: PatternPiece) throws(LinearPattern.Issue) -> PatternPiece {
        let (least, most): (Int, Int?)
        switch next {
        case "*": (least, most) = (0, nil)
        case "+": (least, most) = (1, nil)
        case "?": (least, most) = (0, 1)
        case "{": (least, most) = try parseCounts()
        default: return piece
        }
        if case .anchor = piece { throw issue("repeats an anchor, which says nothing") }
        // The last character of the quantifier.
        index += 1
        _ = take("?")
        if let next, ["*", "+", "?", "{"].contains(next) { throw issue("repeats a repetition; put it in a group") }
        return .repeated(piece, least: least, most: most)
    }

    /// Reads `{m`, `{m,` or `{m,n` and stands on the `}`.
    private mutating func parseCounts() throws(LinearPattern.Issue) -> (Int, Int?) {
        index += 1
        guard let least = try parseCount() else {
            throw issue("has a '{' without a count; write '\\{' for the character")
        }
        var most: Int? = least
        if take(",") { most = next == "}" ? nil : try parseCount() }
        guard next == "}" else { throw issue("has counts that are not written '{m}', '{m,}' or '{m,n}'") }
        if let most, most < least { throw issue("repeats from \(least) to \(most) times: the first is greater") }
        return (least, most)
    }

    private mutating func parseCount() throws(LinearPattern.Issue) -> Int? {
        var count: Int?
        while let scalar = next, let digit = ScalarSet.digit.contains(scalar) ? Int(scalar.value - 0x30) : nil {
            count = (count ?? 0) * 10 + digit
            let most = Limits.schemaPatternStatesMax
            if let count, count > most { throw issue("repeats more than \(most) times; use maxLength") }
            index += 1
        }
        return count
    }

    // MARK: - Characters

    private mutating func parseClass() throws(LinearPattern.Issue) -> ScalarSet {
        let isInverted = take("^")
        var set = ScalarSet([])
        while !take("]") {
            let first = try parseClassAtom()
            guard next == "-", index + 1 < scalars.count, scalars[index + 1] != "]" else {
                set = set.union(first)
                continue
            }
            index += 1
            let last = try parseClassAtom()
            guard let lower = first.only, let upper = last.only, lower <= upper else {
                throw issue(
                    "has a range that does not go from one character to a later one; write '\\-' for the character")
            }
            set = set.union(ScalarSet([lower...upper]))
        }
        return isInverted ? set.inverted : set
    }

    private mutating func parseClassAtom() throws(LinearPattern.Issue) -> ScalarSet {
        guard let scalar = next else { throw issue("has a '[' without ']'") }
        index += 1
        guard scalar == "\\" else { return ScalarSet(scalar) }
        if take("b") { return ScalarSet("\u{8}") }
        return try parseEscape()
    }

    /// What stands behind a `\`.
    private mutating func parseEscape() throws(LinearPattern.Issue) -> ScalarSet {
        guard let scalar = next else { throw issue("ends with a '\\'") }
        index += 1
        switch scalar {
        case "d": return .digit
        case "D": return ScalarSet.digit.inverted
        case "w": return .word
        case "W": return ScalarSet.word.inverted
        case "s": return .space
        case "S": return ScalarSet.space.inverted
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        case "t": return ScalarSet("\t")
        case "f": return ScalarSet("\u{C}")
        case "v": return ScalarSet("\u{B}")
        case "x": return try parseCode(digits: 2)
        case "u": return try parseUnicodeEscape()
        case "0" where !(next.map { ScalarSet.digit.contains($0) } ?? false): return ScalarSet("\0")
        case "1"..."9", "k": throw issue("refers back to a group, which takes a way back and is not supported")
        case "p", "P": throw issue("asks for a Unicode property, which is not supported; write the ranges: '[a-zà-ÿ]'")
        default:
            guard scalar.isASCII, !ScalarSet.word.contains(scalar) || scalar == "_" else {
                throw issue("has an unknown escape '\\\(scalar)'")
            }
            return ScalarSet(scalar)
        }
    }

    private mutating func parseUnicodeEscape() throws(LinearPattern.Issue) -> ScalarSet {
        guard take("{") else {
            let code = try parseHex(digits: 4...4)
            guard (0xD800...0xDBFF).contains(code), take("\\u") else { return try set(of: code) }
            let low = try parseHex(digits: 4...4)
            guard (0xDC00...0xDFFF).contains(low) else { throw issue("has half a surrogate pair") }
            return try set(of: 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00))
        }
        let code = try parseHex(digits: 1...6)
        guard take("}") else { throw issue("has a '\\u{' without '}'") }
        return try set(of: code)
    }

    private mutating func parseCode(digits: Int) throws(LinearPattern.Issue) -> ScalarSet {
        try set(of: try parseHex(digits: digits...digits))
    }

    private mutating func parseHex(digits: ClosedRange<Int>) throws(LinearPattern.Issue) -> UInt32 {
        var text = ""
        while text.count < digits.upperBound, let scalar = next, scalar.properties.isASCIIHexDigit {
            text.unicodeScalars.append(scalar)
            index += 1
        }
        guard text.count >= digits.lowerBound, let code = UInt32(text, radix: 16) else {
            throw issue("has an escape without its hexadecimal digits")
        }
        return code
    }

    private func set(of code: UInt32) throws(LinearPattern.Issue) -> ScalarSet {
        guard let scalar = Unicode.Scalar(code) else { throw issue("names a code point that is no character") }
        return ScalarSet(scalar)
    }
}

/// Writes pieces out as states.
struct LinearPatternCompiler {
    private(set) var program: [LinearPattern.Instruction] = []

    mutating func emit(_ piece: PatternPiece) throws(LinearPattern.Issue) {
        switch piece {
        case .set(let set): try append(.scalar(set))
        case .anchor(let anchor): try append(.anchor(anchor))
        case .sequence(let pieces): for piece in pieces { try emit(piece) }
        case .choice(let branches):
            var ends: [Int] = []
            for (index, branch) in branches.enumerated() {
                guard index < branches.count - 1 else {
                    try emit(branch)
                    break
                }
                let split = try append(.jump(0))
                try emit(branch)
                ends.append(try append(.jump(0)))
                program[split] = .split(split + 1, program.count)
            }
            for end in ends { program[end] = .jump(program.count) }
        case .repeated(let piece, let least, let most): try emitRepeated(piece, least: least, most: most)
        }
    }

    private mutating func emitRepeated(_ piece: PatternPiece, least: Int, most: Int?) throws(LinearPattern.Issue) {
        let start = program.count
        for copy in 0..<least {
            try emit(piece)
            // Nothing, however often, is nothing.
            if copy == 0, program.count == start { return }
        }
        guard let most else {
            let split = try append(.jump(0))
            try emit(piece)
            try append(.jump(split))
            program[split] = .split(split + 1, program.count)
            return
        }
        var splits: [Int] = []
        for _ in least..<most {
            let split = try append(.jump(0))
            splits.append(split)
            try emit(piece)
            if program.count == split + 1 { break }
        }
        for split in splits { program[split] = .split(split + 1, program.count) }
    }

    @discardableResult
    private mutating func append(_ instruction: LinearPattern.Instruction) throws(LinearPattern.Issue) -> Int {
        guard program.count < Limits.schemaPatternStatesMax else {
            throw .init(
                reason:
                    "comes to more than \(Limits.schemaPatternStatesMax) states with its repetitions written out; use maxLength"
            )
        }
        program.append(instruction)
        return program.count - 1
    }
}
