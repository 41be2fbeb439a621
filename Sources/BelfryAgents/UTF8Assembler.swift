/// Decodes UTF-8 that comes in pieces cut anywhere. The pieces of text joined are what decoding all bytes at once
/// gives: a character cut in two is held back until its rest comes; what is no UTF-8 becomes U+FFFD.
struct UTF8Assembler: Sendable {
    /// The beginning of a character whose end has not come: 0 to 3 bytes.
    private var held: [UInt8] = []

    mutating func decode(_ bytes: [UInt8]) -> String {
        var bytes = held + bytes
        let cut = bytes.count - Self.incompleteSuffix(of: bytes)
        held = Array(bytes[cut...])
        bytes.removeSubrange(cut...)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What is left at the end of the stream: U+FFFD for a cut character, else nothing.
    mutating func finish() -> String {
        defer { held = [] }
        return String(decoding: held, as: UTF8.self)
    }

    /// How many bytes at the end are the valid beginning of a longer character (Unicode 16, table 3-7).
    private static func incompleteSuffix(of bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let suffix = bytes.suffix(length)
            guard let lead = suffix.first, lead & 0xC0 != 0x80 else { continue }
            let needed =
                switch lead {
                case 0xC2...0xDF: 2
                case 0xE0...0xEF: 3
                case 0xF0...0xF4: 4
                default: 0
                }
            guard needed > length else { return 0 }
            if length >= 2, !Self.allowedSecond(after: lead).contains(suffix[suffix.startIndex + 1]) { return 0 }
            return length
        }
        return 0
    }

    private static func allowedSecond(after lead: UInt8) -> ClosedRange<UInt8> {
        switch lead {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
    }
}
