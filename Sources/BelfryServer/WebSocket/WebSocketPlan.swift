import BelfryCore
import BelfryCrypto
import NIOHTTP1

/// A connection that is to become a WebSocket: who asks, and what the handshake is answered with.
struct WebSocketPlan: Sendable {
    /// The one sub-protocol: JSON-RPC 2.0 as described in ops/reference/websocket.md.
    static let subprotocol = "belfry.v1"

    /// What comes of messages.
    enum Purpose: Sendable {
        /// They are calls.
        case calls
        /// They are sent back as they are: for tests of the protocol (``EchoRoute``).
        case echo
    }

    var purpose = Purpose.calls
    var principal: Principal
    /// `Sec-WebSocket-Accept`
    var accept: String
    /// The client has offered our sub-protocol.
    var hasSubprotocol: Bool
    var service: WebSocketService

    /// Reads a handshake (RFC 6455, section 4.2.1) whose sender is known already.
    /// - Throws: `upgrade_required` if it is none, or of another version; `malformed` if its key is none.
    init(_ head: HTTPRequestHead, principal: Principal, service: WebSocketService) throws(BelfryError) {
        guard head.isUpgrade, head.isWebSocketUpgrade, head.version == .http1_1 else {
            throw BelfryError(.upgradeRequired, "this path speaks WebSocket: connect to it with a WebSocket client")
        }
        guard head.headers["sec-websocket-version"] == ["13"] else {
            throw BelfryError(.upgradeRequired, "the version of WebSocket spoken here is 13")
        }
        let keys = head.headers["sec-websocket-key"]
        guard keys.count == 1, let key = keys.first, Base64.decode(key)?.count == 16 else {
            throw BelfryError(.malformed, "Sec-WebSocket-Key must be 16 bytes in base 64")
        }
        accept = Self.accept(key: key)
        hasSubprotocol = head.headers[canonicalForm: "sec-websocket-protocol"].contains { $0 == Self.subprotocol }
        self.principal = principal
        self.service = service
    }

    /// RFC 6455, section 4.2.2.
    static func accept(key: String) -> String {
        Base64.encode(Digest.sha1(Array("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)))
    }
}

extension WebSocketPlan.Purpose {
    /// How much a message may be.
    var bounds: WebSocketReader.Bounds {
        switch self {
        case .calls: WebSocketReader.Bounds()
        case .echo:
            WebSocketReader.Bounds(
                messageBytesMax: Limits.echoMessageBytesMax, fragmentsMax: Limits.echoFragmentsMax)
        }
    }
}

extension HTTPRequestHead {
    /// Whether it asks for WebSocket, among whatever else.
    var isWebSocketUpgrade: Bool { headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" } }
}
