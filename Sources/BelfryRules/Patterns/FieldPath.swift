/// The keys that lead to a value, joined with dots: `data.celsius`.
///
/// A key that contains a dot is the same as nesting, in patterns and in events. Paths compare by their bytes.
struct FieldPath: Hashable, Sendable {
    /// UTF-8.
    let bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    static let root = FieldPath(bytes: [])

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The path of a member. `isRoot` because the empty key below the root is a path too.
    func appending(_ key: String, isRoot: Bool) -> FieldPath {
        var joined = bytes
        if !isRoot { joined.append(UInt8(ascii: ".")) }
        joined.append(contentsOf: key.utf8)
        return FieldPath(bytes: joined)
    }

    /// The keys, without dots.
    var parts: [ArraySlice<UInt8>] { bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) }

    /// The path itself and every part of it that ends before a dot, shortest first.
    var prefixes: [FieldPath] {
        var prefixes: [FieldPath] = []
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: ".") {
            prefixes.append(FieldPath(bytes: Array(bytes[..<index])))
        }
        prefixes.append(self)
        return prefixes
    }

    /// The order of their UTF-16 code units, which is Java's: it differs from that of the bytes beyond U+FFFF only.
    func precedesInUTF16(_ other: FieldPath) -> Bool {
        if bytes.allSatisfy({ $0 < 0xF0 }) && other.bytes.allSatisfy({ $0 < 0xF0 }) {
            return bytes.lexicographicallyPrecedes(other.bytes)
        }
        return text.utf16.lexicographicallyPrecedes(other.text.utf16)
    }
}
