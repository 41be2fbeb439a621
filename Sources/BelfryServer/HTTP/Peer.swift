import NIOCore
import NIOHTTP1

/// Who is at the other end of a connection.
struct Peer: Sendable {
    let address: String
    /// The peer is on this machine, and no header says that it speaks for somebody else.
    let isLoopback: Bool

    init(_ address: SocketAddress?, headers: HTTPHeaders) {
        self.address = address?.ipAddress ?? "local"
        let speaksForOthers = ["forwarded", "x-forwarded-for", "x-real-ip", "via", "origin"]
            .contains { headers.contains(name: $0) }
        isLoopback = Self.isLoopback(address) && !speaksForOthers
    }

    private static func isLoopback(_ address: SocketAddress?) -> Bool {
        guard let text = address?.ipAddress else { return false }
        let v4 = text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text
        return text == "::1" || v4.hasPrefix("127.")
    }
}
