/// The parameters behind the question mark, in their order, decoded.
struct Query: Sendable {
    let parameters: [(name: String, value: String)]

    /// Reads `application/x-www-form-urlencoded` pairs. Broken escapes stay as they are.
    init(_ text: some StringProtocol) {
        parameters = text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : "")
        }
    }

    /// The first value of a parameter.
    subscript(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

    func values(_ name: String) -> [String] { parameters.compactMap { $0.name == name ? $0.value : nil } }

    /// `?dry_run`: tell what would happen, and do nothing.
    var asksForDryRun: Bool { self["dry_run"].map { $0 != "false" && $0 != "0" } ?? false }

    private static func decoded(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                if rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                    bytes.append(value)
                    rest = rest.dropFirst(2)
                } else {
                    bytes.append(byte)
                }
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
