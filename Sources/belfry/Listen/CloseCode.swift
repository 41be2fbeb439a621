/// WebSocket close codes (RFC 6455, section 7.4.1) as words.
enum CloseCode {
    /// - Parameters:
    ///   - code: nil if the connection ended without a close frame.
    ///   - reason: what the hub wrote beside it.
    static func words(_ code: UInt16?, reason: String) -> String {
        let said = reason.isEmpty ? "" : ": \(Terminal.harmless(reason))"
        return switch code {
        case nil: "the connection to the hub is lost"
        case 1000: "the hub closed the connection\(said)"
        case 1001: "the hub stops or restarts\(said)"
        case 1002, 1003, 1007: "the hub did not understand this client (\(code ?? 0))\(said)"
        case 1008: "the hub ended the connection by its rules\(said)"
        case 1009: "a message was too large\(said)"
        case 1011: "the hub failed\(said)"
        case 1013: "the hub is overloaded\(said)"
        case let code?: "the hub closed the connection (\(code))\(said)"
        }
    }
}
