/// Why some bytes are not JSON (RFC 8259): what, and at which byte.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, as a short phrase ("a control character inside a string").
    public var reason: String
    /// Offset of the offending byte, from 0.
    public var offset: Int

    public init(_ reason: String, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String { "not valid JSON: \(reason) at byte \(offset)" }
}
