/// Checks text as its bytes come (RFC 3629), and knows at the first byte that cannot go on.
struct UTF8Validator: Sendable {
    /// Bytes that the character under way still needs, and what the next of them may be.
    private var missing = 0
    private var next: ClosedRange<UInt8> = 0x80...0xBF

    /// The text so far ends with a whole character.
    var isComplete: Bool { missing == 0 }

    /// - Returns: false if the text cannot be UTF-8, whatever follows.
    mutating func accept(_ bytes: some Sequence<UInt8>) -> Bool {
        Array(bytes).withUnsafeBytes { accept($0) }
    }

    mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            if missing == 0, index + 8 <= bytes.count,
                bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                // Eight characters of ASCII.
                index += 8
                continue
            }
            guard accept(bytes[index]) else { return false }
            index += 1
        }
        return true
    }

    private mutating func accept(_ byte: UInt8) -> Bool {
        if missing > 0 {
            guard next.contains(byte) else { return false }
            next = 0x80...0xBF
            missing -= 1
            return true
        }
        return byte < 0x80 || begin(byte)
    }

    /// Overlong forms, surrogates and what lies beyond U+10FFFF are ruled out by the second byte.
    private mutating func begin(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xC2...0xDF: missing = 1
        case 0xE0...0xEF: missing = 2
        case 0xF0...0xF4: missing = 3
        default: return false
        }
        switch byte {
        case 0xE0: next = 0xA0...0xBF
        case 0xED: next = 0x80...0x9F
        case 0xF0: next = 0x90...0xBF
        case 0xF4: next = 0x80...0x8F
        default: break
        }
        return true
    }
}
