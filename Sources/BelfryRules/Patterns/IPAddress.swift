/// An IPv4 or IPv6 address as its bytes.
struct IPAddress: Hashable, Sendable {
    /// 4 or 16, in network order. An IPv4 address mapped into IPv6 (`::ffff:a00:1`) is the IPv4 address.
    let bytes: [UInt8]

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Reads `10.0.0.1` and `2001:db8::1`; nil for anything else. Leading zeros are decimal, as in event-ruler.
    init?(_ text: String) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let bytes = Self.version6(text) else { return nil }
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            self.bytes = isMapped ? Array(bytes[12...]) : bytes
        } else {
            guard let bytes = Self.version4(text) else { return nil }
            self.bytes = bytes
        }
    }

    private static func version4(_ text: String) -> [UInt8]? {
        guard text.utf8.count <= 64 else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard !part.isEmpty, part.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
            let value = part.reduce(0) { min($0 * 10 + Int($1 - 0x30), 256) }
            guard value < 256 else { return nil }
            bytes.append(UInt8(value))
        }
        return bytes
    }

    /// RFC 4291, section 2.2, forms 1 and 2 (no dotted tail: event-ruler reads none).
    private static func version6(_ text: String) -> [UInt8]? {
        guard text.utf8.count <= 39 else { return nil }
        let halves = text.utf8.split(separator: "::".utf8, omittingEmptySubsequences: false)
        guard halves.count <= 2, let head = groups(halves[0]) else { return nil }
        guard halves.count == 2 else { return head.count == 16 ? head : nil }
        guard let tail = groups(halves[1]), head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: Substring.UTF8View) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        for group in text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
            guard (1...4).contains(group.count), let value = UInt16(Substring(group), radix: 16),
                group.first != UInt8(ascii: "+"), group.first != UInt8(ascii: "-")
            else { return nil }
            bytes.append(UInt8(value >> 8))
            bytes.append(UInt8(value & 255))
        }
        return bytes
    }
}

/// A block of addresses: `10.0.0.0/8`. Bits behind the mask may be set and do not count.
struct IPNetwork: Hashable, Sendable {
    private let base: IPAddress
    private let maskBits: Int

    /// - Throws: why `text` is no block, in words for its author.
    init(_ text: String) throws(PatternIssue) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let base = IPAddress(String(parts[0])) else {
            throw PatternIssue("'\(text.prefix(80))' is not a block of addresses", hint: #"write "10.0.0.0/8""#)
        }
        guard parts[1].utf8.count <= 3, parts[1].utf8.allSatisfy({ $0 &- 0x30 < 10 }), let bits = Int(parts[1]) else {
            throw PatternIssue("the mask bits after '/' must be a whole number")
        }
        // event-ruler refuses /32 and /128 as well: a single address is an exact match.
        guard bits < base.bytes.count * 8 else {
            throw PatternIssue(
                "the mask bits must be less than \(base.bytes.count * 8)",
                hint: "for a single address write the address itself, without cidr")
        }
        self.base = base
        maskBits = bits
    }

    func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == base.bytes.count else { return false }
        for index in base.bytes.indices {
            let bits = min(8, max(0, maskBits - index * 8))
            let mask = ~UInt8(truncatingIfNeeded: 0xFF >> bits)
            if (address.bytes[index] ^ base.bytes[index]) & mask != 0 { return false }
        }
        return true
    }
}
