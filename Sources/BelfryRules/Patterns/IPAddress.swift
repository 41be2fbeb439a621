import BelfryCore

/// An IPv4 or IPv6 address. An IPv4 address mapped into IPv6 (`::ffff:a00:1`) is the IPv4 address.
struct IPAddress: Hashable, Sendable {
    let bits: UInt128
    let isVersion4: Bool

    var bitCount: Int { isVersion4 ? 32 : 128 }

    /// The block of addresses that begin with the same `count` bits, as its first address.
    func prefix(_ count: Int) -> IPAddress {
        let rest = bitCount - count
        return IPAddress(bits: (bits >> rest) << rest, isVersion4: isVersion4)
    }

    private init(bits: UInt128, isVersion4: Bool) {
        self.bits = bits
        self.isVersion4 = isVersion4
    }

    /// Reads `10.0.0.1` and `2001:db8::1`; nil for anything else. Leading zeros are decimal, as in event-ruler.
    init?(_ text: String) {
        var text = text
        guard let address = text.withUTF8({ IPAddress($0) }) else { return nil }
        self = address
    }

    init?(_ text: UnsafeBufferPointer<UInt8>) {
        guard text.count <= 64 else { return nil }
        if text.contains(UInt8(ascii: ":")) {
            guard let bits = Self.version6(text) else { return nil }
            self.init(bits: bits & (bits >> 32 == 0xFFFF ? 0xFFFF_FFFF : .max), isVersion4: bits >> 32 == 0xFFFF)
        } else {
            guard let bits = Self.version4(text) else { return nil }
            self.init(bits: bits, isVersion4: true)
        }
    }

    private static func version4(_ text: UnsafeBufferPointer<UInt8>) -> UInt128? {
        var bits: UInt128 = 0
        var parts = 0
        var part: Int?
        for byte in text {
            if byte == UInt8(ascii: ".") {
                guard let value = part, parts < 3 else { return nil }
                bits = bits << 8 | UInt128(value)
                parts += 1
                part = nil
            } else {
                guard byte &- 0x30 < 10 else { return nil }
                let value = (part ?? 0) * 10 + Int(byte - 0x30)
                guard value < 256 else { return nil }
                part = value
            }
        }
        guard let value = part, parts == 3 else { return nil }
        return bits << 8 | UInt128(value)
    }

    /// RFC 4291, section 2.2, forms 1 and 2 (no dotted tail: event-ruler reads none).
    private static func version6(_ text: UnsafeBufferPointer<UInt8>) -> UInt128? {
        guard text.count <= 39 else { return nil }
        var bits: UInt128 = 0
        var groups = 0
        /// How many groups stand before the `::`.
        var gap: Int?
        var index = 0
        func isColon(_ index: Int) -> Bool { index < text.count && text[index] == UInt8(ascii: ":") }
        if isColon(0), isColon(1) {
            gap = 0
            index = 2
        }
        while index < text.count {
            guard let (group, end) = group(text, from: index), groups < 8 else { return nil }
            bits = bits << 16 | UInt128(group)
            groups += 1
            index = end
            if index == text.count { break }
            guard isColon(index), index + 1 < text.count else { return nil }
            index += 1
            if isColon(index) {
                guard gap == nil else { return nil }
                gap = groups
                index += 1
            }
        }
        guard let gap else { return groups == 8 ? bits : nil }
        guard groups < 8 else { return nil }
        let tailBits = (groups - gap) * 16
        let tail = bits & (1 << tailBits - 1)
        return (bits >> tailBits) << ((8 - gap) * 16) | tail
    }

    /// One to four hexadecimal digits, and where they end.
    private static func group(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> (UInt16, Int)? {
        var value: UInt16 = 0
        var index = start
        while index < text.count, let digit = Hex.digit(text[index]) {
            guard index < start + 4 else { return nil }
            value = value << 4 | UInt16(digit)
            index += 1
        }
        return index > start ? (value, index) : nil
    }
}

/// A block of addresses: `10.0.0.0/8`. Bits behind the mask may be set and do not count.
struct IPNetwork: Hashable, Sendable {
    /// With the bits behind the mask cleared.
    let base: IPAddress
    let maskBits: Int

    /// - Throws: why `text` is no block, in words for its author.
    init(_ text: String) throws(PatternIssue) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let base = IPAddress(String(parts[0])) else {
            throw PatternIssue("'\(text.prefix(80))' is not a block of addresses", hint: #"write "10.0.0.0/8""#)
        }
        guard parts[1].utf8.count <= 3, parts[1].utf8.allSatisfy({ $0 &- 0x30 < 10 }), let bits = Int(parts[1]) else {
            throw PatternIssue("the mask bits after '/' must be a whole number", hint: #"write "10.0.0.0/8""#)
        }
        // event-ruler refuses /32 and /128 as well: a single address is an exact match.
        guard bits < base.bitCount else {
            throw PatternIssue(
                "the mask bits must be less than \(base.bitCount)",
                hint: "for a single address write the address itself, without cidr")
        }
        self.base = base.prefix(bits)
        maskBits = bits
    }

    func contains(_ address: IPAddress) -> Bool {
        address.isVersion4 == base.isVersion4 && address.prefix(maskBits) == base
    }
}
