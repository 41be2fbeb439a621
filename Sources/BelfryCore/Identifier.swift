/// What an identifier names; its prefix says so in the text.
public protocol IdentifierKind: Sendable {
    static var prefix: String { get }
}

public enum EventKind: IdentifierKind { public static let prefix = "evt" }
public enum RunKind: IdentifierKind { public static let prefix = "run" }
public enum GroupKind: IdentifierKind { public static let prefix = "grp" }
public enum CommandKind: IdentifierKind { public static let prefix = "cmd" }
public enum ApprovalKind: IdentifierKind { public static let prefix = "apr" }
public enum TokenKind: IdentifierKind { public static let prefix = "tok" }

public typealias EventID = Identifier<EventKind>
public typealias RunID = Identifier<RunKind>
public typealias GroupID = Identifier<GroupKind>
public typealias CommandID = Identifier<CommandKind>
public typealias ApprovalID = Identifier<ApprovalKind>
public typealias TokenID = Identifier<TokenKind>

/// A TypeID (github.com/jetify-com/typeid, spec 0.3): a prefix and a UUIDv7 (RFC 9562) in Crockford's base 32, lower
/// case: `run_01h455vb4pex5vsknk084sn02q`.
///
/// Identifiers name things; they order nothing. Order comes from positions.
public struct Identifier<Kind: IdentifierKind>: Hashable, Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// A new identifier, random but for its time.
    public init(at time: Timestamp) {
        var generator = SystemRandomNumberGenerator()
        self.init(at: time, bits: (generator.next(), generator.next()))
    }

    /// An identifier whose random part is given: 12 bits of the first number, 62 of the second.
    /// The same input makes the same identifier, so that what derives one may be repeated.
    public init(at time: Timestamp, bits: (UInt64, UInt64)) {
        high = UInt64(truncatingIfNeeded: time.milliseconds) << 16 | 0x7000 | bits.0 & 0x0FFF
        low = 0x8000_0000_0000_0000 | bits.1 & 0x3FFF_FFFF_FFFF_FFFF
    }

    /// From the 16 bytes of a UUID, as stored.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The 16 bytes of the UUID.
    public var bytes: [UInt8] {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { [UInt8]($0) }
    }

    /// The moment the identifier was made for.
    public var time: Timestamp { Timestamp(milliseconds: Int64(high >> 16)) }

    private static var alphabet: StaticString { "0123456789abcdefghjkmnpqrstvwxyz" }

    /// 128 bits as 26 digits of 5 bits, the first holding 3.
    public var description: String {
        let value = UInt128(high) << 64 | UInt128(low)
        return String(unsafeUninitializedCapacity: Kind.prefix.utf8.count + 27) { text in
            var end = text.initialize(fromContentsOf: Kind.prefix.utf8)
            text.initializeElement(at: end, to: UInt8(ascii: "_"))
            end += 1
            for shift in stride(from: 125, through: 0, by: -5) {
                let digit = Int(truncatingIfNeeded: value >> UInt128(shift)) & 31
                text.initializeElement(at: end, to: Self.alphabet.utf8Start[digit])
                end += 1
            }
            return end
        }
    }

    /// Reads the text form; nil for another prefix, length, alphabet, or a value past 128 bits.
    public init?(_ text: some StringProtocol) {
        let text = Array(text.utf8)
        let prefix = Array(Kind.prefix.utf8) + [UInt8(ascii: "_")]
        guard text.count == prefix.count + 26, text.starts(with: prefix), text[prefix.count] <= UInt8(ascii: "7") else {
            return nil
        }
        var value: UInt128 = 0
        for byte in text[prefix.count...] {
            guard let digit = (0..<32).first(where: { Self.alphabet.utf8Start[$0] == byte }) else { return nil }
            value = value << 5 | UInt128(digit)
        }
        high = UInt64(truncatingIfNeeded: value >> 64)
        low = UInt64(truncatingIfNeeded: value)
    }
}
