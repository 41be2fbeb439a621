/// The one JSON scanner: walks raw bytes and checks grammar (RFC 8259), UTF-8 (RFC 3629) and nesting.
///
/// It never allocates. ``RawJSON`` uses it to validate, ``JSONValue`` to build a tree.
/// Duplicate keys are legal here (a tree lets the later one win), and so are lone `\uD800` escapes (a tree shows
/// them as U+FFFD), because senders produce both and refusing them would lose deliveries.
package struct JSONScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    package private(set) var offset = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// The next byte, or 0 at the end: 0 is legal nowhere outside a string, so no caller mistakes it.
    package var peek: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    mutating func skipWhitespace() {
        // Most senders write none.
        while peek <= 0x20, offset < bytes.count, Self.isWhitespace(bytes[offset]) { offset += 1 }
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    mutating func expect(_ byte: UInt8, _ what: StaticString) throws(JSONError) {
        guard peek == byte else { throw missing(what) }
        offset += 1
    }

    private func missing(_ what: StaticString) -> JSONError {
        JSONError(offset < bytes.count ? "expected \(what)" : "the text ends where \(what) should stand", at: offset)
    }

    /// Skips one value of any kind, with everything in it.
    mutating func skipValue(depthLeft: Int) throws(JSONError) {
        switch peek {
        case UInt8(ascii: "{"):
            guard try enterObject(depthLeft: depthLeft) else { return }
            repeat {
                _ = try scanKey()
                try skipValue(depthLeft: depthLeft - 1)
            } while try nextMember()
        case UInt8(ascii: "["):
            guard try enterArray(depthLeft: depthLeft) else { return }
            repeat { try skipValue(depthLeft: depthLeft - 1) } while try nextElement()
        case UInt8(ascii: "\""):
            _ = try scanString()
        default:
            _ = try scanScalar()
        }
    }

    // MARK: Objects and arrays, step by step

    /// Moves into the object that begins here, up to its first key. False: it is empty, and left behind.
    mutating func enterObject(depthLeft: Int) throws(JSONError) -> Bool {
        try enter(depthLeft: depthLeft, end: UInt8(ascii: "}"))
    }

    /// Moves into the array that begins here, up to its first element. False: it is empty, and left behind.
    mutating func enterArray(depthLeft: Int) throws(JSONError) -> Bool {
        try enter(depthLeft: depthLeft, end: UInt8(ascii: "]"))
    }

    /// Reads a key, and moves up to its value.
    mutating func scanKey() throws(JSONError) -> StringSpan {
        guard peek == UInt8(ascii: "\"") else { throw JSONError("expected a quoted key", at: offset) }
        let key = try scanString()
        skipWhitespace()
        try expect(UInt8(ascii: ":"), "':'")
        skipWhitespace()
        return key
    }

    /// Behind a member's value: moves up to the next key. False: that was the last, and the object is left behind.
    mutating func nextMember() throws(JSONError) -> Bool { try next(end: UInt8(ascii: "}"), "',' or '}'") }

    /// Behind an element: moves up to the next one. False: that was the last, and the array is left behind.
    mutating func nextElement() throws(JSONError) -> Bool { try next(end: UInt8(ascii: "]"), "',' or ']'") }

    private mutating func enter(depthLeft: Int, end: UInt8) throws(JSONError) -> Bool {
        guard depthLeft > 0 else { throw JSONError("nested too deep", at: offset) }
        offset += 1
        skipWhitespace()
        guard peek == end else { return true }
        offset += 1
        return false
    }

    private mutating func next(end: UInt8, _ what: StaticString) throws(JSONError) -> Bool {
        skipWhitespace()
        if peek == UInt8(ascii: ",") {
            offset += 1
            skipWhitespace()
            return true
        }
        try expect(end, what)
        return false
    }

    /// Walks an object; `member` must consume the value that follows the key it is given.
    package mutating func scanObject(
        depthLeft: Int,
        _ member: (inout JSONScanner, StringSpan, _ depthLeft: Int) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard try enterObject(depthLeft: depthLeft) else { return }
        repeat {
            let key = try scanKey()
            try member(&self, key, depthLeft - 1)
        } while try nextMember()
    }

    /// Walks an array; `element` must consume one value.
    package mutating func scanArray(
        depthLeft: Int,
        _ element: (inout JSONScanner, _ depthLeft: Int) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard try enterArray(depthLeft: depthLeft) else { return }
        repeat { try element(&self, depthLeft - 1) } while try nextElement()
    }

    /// A string's bytes between the quotes, and whether any of them is an escape.
    package struct StringSpan {
        package var range: Range<Int>
        var hasEscapes: Bool
    }

    enum Scalar {
        case null
        case bool(Bool)
        case number(Range<Int>)
        case string(StringSpan)
    }

    mutating func scanScalar() throws(JSONError) -> Scalar {
        switch peek {
        case UInt8(ascii: "\""): return .string(try scanString())
        case UInt8(ascii: "t"):
            try scanLiteral("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try scanLiteral("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try scanLiteral("null")
            return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .number(try scanNumber())
        default:
            throw JSONError(offset < bytes.count ? "expected a value" : "the text ends too early", at: offset)
        }
    }

    private mutating func scanLiteral(_ literal: StaticString) throws(JSONError) {
        for index in 0..<literal.utf8CodeUnitCount {
            guard offset + index < bytes.count, bytes[offset + index] == literal.utf8Start[index] else {
                throw JSONError("expected '\(literal)'", at: offset)
            }
        }
        offset += literal.utf8CodeUnitCount
    }

    private mutating func scanNumber() throws(JSONError) -> Range<Int> {
        let start = offset
        if peek == UInt8(ascii: "-") { offset += 1 }
        if peek == UInt8(ascii: "0") {
            offset += 1
        } else {
            try scanDigits()
        }
        if peek == UInt8(ascii: ".") {
            offset += 1
            try scanDigits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            offset += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { offset += 1 }
            try scanDigits()
        }
        return start..<offset
    }

    private mutating func scanDigits() throws(JSONError) {
        let start = offset
        while offset < bytes.count, bytes[offset] &- UInt8(ascii: "0") < 10 { offset += 1 }
        if offset == start { throw JSONError("expected a digit", at: offset) }
    }

    mutating func scanString() throws(JSONError) -> StringSpan {
        offset += 1
        let start = offset
        var hasEscapes = false
        while offset < bytes.count {
            skipPlainText()
            guard offset < bytes.count else { break }
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                offset += 1
                return StringSpan(range: start..<(offset - 1), hasEscapes: hasEscapes)
            } else if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try scanEscape()
            } else if byte < 0x20 {
                throw JSONError("a control character inside a string", at: offset)
            } else if byte < 0x80 {
                offset += 1
            } else {
                try scanMultibyte()
            }
        }
        throw JSONError("a string that does not end", at: start - 1)
    }

    /// Moves past printable ASCII that is neither a quote nor a backslash, eight bytes at a time: most of most payloads.
    ///
    /// Per byte of the word, the top bit of `stops` says that it needs a look (zero-in-word tests of Bit Twiddling
    /// Hacks); a borrow can only spoil bytes above the lowest hit, and only the lowest is used.
    private mutating func skipPlainText() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        while offset + 8 <= bytes.count, let base = UnsafeRawPointer(bytes.baseAddress) {
            let word = UInt64(littleEndian: (base + offset).loadUnaligned(as: UInt64.self))
            let quotes = word ^ ones &* 0x22
            let backslashes = word ^ ones &* 0x5C
            let stops =
                (word | (word &- ones &* 0x20) & ~word | (quotes &- ones) & ~quotes
                    | (backslashes &- ones) & ~backslashes) & tops
            guard stops == 0 else {
                offset += stops.trailingZeroBitCount / 8
                return
            }
            offset += 8
        }
    }

    private mutating func scanEscape() throws(JSONError) {
        guard offset + 1 < bytes.count else { throw JSONError("a string that does not end", at: offset) }
        switch bytes[offset + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            offset += 2
        case UInt8(ascii: "u"):
            guard hexUnit(at: offset + 2) != nil else { throw JSONError("a bad \\u escape", at: offset) }
            offset += 6
        default:
            throw JSONError("an unknown escape", at: offset)
        }
    }

    /// The UTF-16 code unit written as four hex digits at `index`.
    func hexUnit(at index: Int) -> UInt16? {
        guard index + 4 <= bytes.count else { return nil }
        var unit: UInt16 = 0
        for digitIndex in index..<(index + 4) {
            guard let digit = Hex.digit(bytes[digitIndex]) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// One non-ASCII scalar, by the table of well-formed byte sequences (Unicode 15, table 3-7).
    private mutating func scanMultibyte() throws(JSONError) {
        func continues(_ ahead: Int, _ allowed: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            offset + ahead < bytes.count && allowed.contains(bytes[offset + ahead])
        }
        let length: Int
        switch bytes[offset] {
        case 0xC2...0xDF where continues(1): length = 2
        case 0xE0 where continues(1, 0xA0...0xBF) && continues(2): length = 3
        case 0xE1...0xEC where continues(1) && continues(2): length = 3
        case 0xED where continues(1, 0x80...0x9F) && continues(2): length = 3
        case 0xEE...0xEF where continues(1) && continues(2): length = 3
        case 0xF0 where continues(1, 0x90...0xBF) && continues(2) && continues(3): length = 4
        case 0xF1...0xF3 where continues(1) && continues(2) && continues(3): length = 4
        case 0xF4 where continues(1, 0x80...0x8F) && continues(2) && continues(3): length = 4
        default: throw JSONError("bytes that are not UTF-8", at: offset)
        }
        offset += length
    }

    /// Runs `body` for the one value that the bytes must hold, with nothing but white space around it.
    package static func scanDocument<Result>(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ body: (inout JSONScanner) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        var scanner = JSONScanner(bytes)
        if bytes.first == 0xEF, bytes.starts(with: "\u{FEFF}".utf8) {
            throw JSONError("a byte order mark (save it as UTF-8 without one)", at: 0)
        }
        scanner.skipWhitespace()
        let result = try body(&scanner)
        scanner.skipWhitespace()
        guard scanner.offset == bytes.count else {
            throw JSONError("something stands after the value", at: scanner.offset)
        }
        return result
    }
}
