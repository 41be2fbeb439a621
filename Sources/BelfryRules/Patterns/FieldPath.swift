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

    /// The path itself and every part of it that ends before a dot, shortest first.
    var prefixes: [FieldPath] {
        var prefixes: [FieldPath] = []
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: ".") {
            prefixes.append(FieldPath(bytes: Array(bytes[..<index])))
        }
        prefixes.append(self)
        return prefixes
    }
}
