// CCurl: its headers bring the socket structures along, and an optimised build finds their members there.
import CCurl
import Glibc

/// An IPv4 or IPv6 address, to decide whether it belongs to the public Internet.
struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16, in network order.
    let bytes: [UInt8]

    init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// From a `sockaddr` of the family's own length. Nil for other families than AF_INET and AF_INET6.
    init?(_ raw: UnsafeRawPointer) {
        switch Int32(raw.loadUnaligned(as: sockaddr.self).sa_family) {
        case AF_INET:
            var number = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
            bytes = withUnsafeBytes(of: &number) { Array($0) }
        case AF_INET6:
            var number = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            bytes = withUnsafeBytes(of: &number) { Array($0) }
        default:
            return nil
        }
    }

    /// Reads a literal: IPv6 with or without brackets and zone, IPv4 in every form that C reads (`127.1`,
    /// `0x7f000001`), because what resolves it may read them too.
    init?(literal text: String) {
        var text = text
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        var six = in6_addr()
        if inet_pton(AF_INET6, text.split(separator: "%").first.map(String.init) ?? "", &six) == 1 {
            bytes = withUnsafeBytes(of: &six) { Array($0) }
            return
        }
        var four = in_addr()
        guard inet_aton(text, &four) != 0 else { return nil }
        bytes = withUnsafeBytes(of: &four) { Array($0) }
    }

    /// Whether the first bits of the address are those of `network`.
    func isIn(_ network: IPAddress, bits: Int) -> Bool {
        guard bytes.count == network.bytes.count, (0...bytes.count * 8).contains(bits) else { return false }
        let whole = bits / 8
        guard bytes[..<whole] == network.bytes[..<whole] else { return false }
        let rest = bits % 8
        return rest == 0 || (bytes[whole] ^ network.bytes[whole]) >> (8 - UInt8(rest)) == 0
    }

    /// False for every block of the IANA special-purpose registries (RFC 6890 and its successors), multicast and
    /// what is reserved. An IPv6 form of an IPv4 address (mapped, compatible, NAT64, 6to4) is judged by that one.
    var isPublic: Bool {
        guard bytes.count == 16 else { return !Self.specialFour.contains { isIn($0.network, bits: $0.bits) } }
        if let four = embeddedFour { return four.isPublic }
        // Global unicast is 2000::/3; the rest is unassigned, local or multicast.
        return bytes[0] >> 5 == 0b001 && !Self.specialSix.contains { isIn($0.network, bits: $0.bits) }
    }

    private var embeddedFour: IPAddress? {
        let isZero = { (range: Range<Int>) in bytes[range].allSatisfy { $0 == 0 } }
        // ::ffff:a.b.c.d and ::a.b.c.d
        if isZero(0..<10), bytes[10..<12] == [0xFF, 0xFF] || isZero(10..<12) {
            return IPAddress(bytes: Array(bytes[12...]))
        }
        // 64:ff9b::a.b.c.d (RFC 6052)
        if bytes[..<4] == [0, 0x64, 0xFF, 0x9B], isZero(4..<12) { return IPAddress(bytes: Array(bytes[12...])) }
        // 2002:aabb:ccdd:: (RFC 3056)
        if bytes[..<2] == [0x20, 0x02] { return IPAddress(bytes: Array(bytes[2..<6])) }
        return nil
    }

    private typealias Block = (network: IPAddress, bits: Int)

    private static func blocks(_ texts: [(String, Int)]) -> [Block] {
        texts.compactMap { text, bits in IPAddress(literal: text).map { ($0, bits) } }
    }

    private static let specialFour: [Block] = blocks([
        ("0.0.0.0", 8), ("10.0.0.0", 8), ("100.64.0.0", 10), ("127.0.0.0", 8), ("169.254.0.0", 16),
        ("172.16.0.0", 12), ("192.0.0.0", 24), ("192.0.2.0", 24), ("192.88.99.0", 24), ("192.168.0.0", 16),
        ("198.18.0.0", 15), ("198.51.100.0", 24), ("203.0.113.0", 24), ("224.0.0.0", 4), ("240.0.0.0", 4),
    ])

    private static let specialSix: [Block] = blocks([
        ("2001::", 23), ("2001:db8::", 32), ("3fff::", 20),
    ])

    var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
