/// Writes JSON text, compact, member by member; puts the commas itself.
///
/// The caller keeps the order `beginObject … key, value … endObject`; that is all it must know.
public struct JSONWriter: Sendable {
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    public init(reservingCapacity capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    public mutating func beginObject() { open("{") }
    public mutating func endObject() { close("}") }
    public mutating func beginArray() { open("[") }
    public mutating func endArray() { close("]") }

    public mutating func key(_ key: String) {
        separate()
        bytes.appendJSONString(key)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    public mutating func string(_ value: String) {
        separate()
        bytes.appendJSONString(value)
    }

    public mutating func int(_ value: some BinaryInteger) { raw(String(value).utf8) }
    public mutating func bool(_ value: Bool) { raw((value ? "true" : "false").utf8) }
    public mutating func null() { raw("null".utf8) }

    /// Appends text that is JSON already.
    public mutating func raw(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
    }

    public mutating func value(_ value: JSONValue) {
        separate()
        value.encode(into: &bytes)
    }

    public mutating func member(_ key: String, _ value: String) {
        self.key(key)
        string(value)
    }
    public mutating func member(_ key: String, _ value: Int64) {
        self.key(key)
        int(value)
    }
    public mutating func member(_ key: String, _ value: JSONValue) {
        self.key(key)
        self.value(value)
    }
    public mutating func member(_ key: String, raw json: RawJSON) {
        self.key(key)
        raw(json.bytes)
    }

    /// Writes the member only if there is a value.
    public mutating func member(_ key: String, ifPresent value: String?) {
        if let value { member(key, value) }
    }

    private mutating func open(_ bracket: Unicode.Scalar) {
        separate()
        bytes.append(UInt8(ascii: bracket))
        needsComma = false
    }

    private mutating func close(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(ascii: bracket))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}

extension JSONValue {
    /// The value as compact JSON text.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }

    /// The value as a string of compact JSON text.
    public var text: String { String(decoding: encoded(), as: UTF8.self) }

    /// One text per value: members sorted by the bytes of their keys, of duplicates the later only, no white space.
    /// What digests are taken over.
    public func canonicalEncoded() -> [UInt8] {
        var bytes: [UInt8] = []
        canonical.encode(into: &bytes)
        return bytes
    }

    private var canonical: JSONValue {
        switch self {
        case .array(let elements): return .array(elements.map(\.canonical))
        case .object(let object):
            return .object(
                JSONObject(
                    object.effectiveMembers.map { JSONObject.Member(key: $0.key, value: $0.value.canonical) }
                )
            )
        default: return self
        }
    }

    func encode(into bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let value): bytes.append(contentsOf: value.text.utf8)
        case .string(let value): bytes.appendJSONString(value)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.encode(into: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.appendJSONString(member.key)
                bytes.append(UInt8(ascii: ":"))
                member.value.encode(into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

extension [UInt8] {
    /// Appends `text` quoted and escaped. Every control character is escaped, and U+2028 and U+2029 are left as they
    /// are: the text can stand in an SSE `data:` line, where only CR and LF end a line.
    mutating func appendJSONString(_ text: String) {
        append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var plain = utf8.startIndex
            for index in utf8.indices where utf8[index].isEscapedInJSON {
                append(contentsOf: utf8[plain..<index])
                appendEscape(utf8[index])
                plain = index + 1
            }
            append(contentsOf: utf8[plain...])
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func appendEscape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append(contentsOf: #"\""#.utf8)
        case UInt8(ascii: "\\"): append(contentsOf: #"\\"#.utf8)
        case 0x0A: append(contentsOf: #"\n"#.utf8)
        case 0x0D: append(contentsOf: #"\r"#.utf8)
        case 0x09: append(contentsOf: #"\t"#.utf8)
        default:
            append(contentsOf: #"\u00"#.utf8)
            append(Hex.lowerDigits[Int(byte >> 4)])
            append(Hex.lowerDigits[Int(byte & 15)])
        }
    }
}

extension UInt8 {
    fileprivate var isEscapedInJSON: Bool {
        self < 0x20 || self == UInt8(ascii: "\"") || self == UInt8(ascii: "\\") || self == 0x7F
    }
}
