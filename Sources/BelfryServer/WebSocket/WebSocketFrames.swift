import BelfryCore
import BelfryEngine
import NIOCore

/// What a frame is (RFC 6455, section 5.2). All others are reserved.
enum WebSocketOpcode: UInt8, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    var isControl: Bool { rawValue & 0x08 != 0 }
}

/// Why a connection ends, as its other side reads it (RFC 6455, section 7.4, and IANA's registry).
struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt16

    static let normal = WebSocketCloseCode(rawValue: 1000)
    static let goingAway = WebSocketCloseCode(rawValue: 1001)
    static let protocolError = WebSocketCloseCode(rawValue: 1002)
    static let unsupportedData = WebSocketCloseCode(rawValue: 1003)
    static let invalidText = WebSocketCloseCode(rawValue: 1007)
    static let policy = WebSocketCloseCode(rawValue: 1008)
    static let tooLarge = WebSocketCloseCode(rawValue: 1009)
    static let internalError = WebSocketCloseCode(rawValue: 1011)
    static let tryAgainLater = WebSocketCloseCode(rawValue: 1013)

    /// Whether it may stand in a close frame: 1004 to 1006 and 1015 may not, and others are nobody's yet.
    var maySend: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

extension CloseReason {
    /// What a WebSocket client is told. Nil where nobody is there to be told.
    var webSocketCode: WebSocketCloseCode? {
        switch self {
        case .clientClosed, .writeFailed: nil
        case .runEnded, .replaced: .normal
        case .serverShutdown: .goingAway
        case .stalled, .unauthorized, .unresponsive, .tooManyCalls: .policy
        case .logUnavailable: .internalError
        case .protocolError: .protocolError
        case .unsupportedData: .unsupportedData
        case .invalidText: .invalidText
        case .messageTooLarge: .tooLarge
        case .overloaded: .tryAgainLater
        }
    }
}

/// Writes frames of the server: whole and without a mask.
enum WebSocketEncoder {
    private static let notificationStart = Array(#"{"jsonrpc":"2.0","method":"frame","params":"#.utf8)

    /// A frame of the log as a JSON-RPC notification, in the bytes that an event stream has behind `data:`.
    static func append(_ frame: Frame, to buffer: inout ByteBuffer) {
        let json = frame.json.bytes
        appendHead(.text, length: notificationStart.count + json.count + 1, to: &buffer)
        buffer.writeBytes(notificationStart)
        buffer.writeSingleLine(json)
        buffer.writeInteger(UInt8(ascii: "}"))
    }

    static func frame(_ opcode: WebSocketOpcode, _ payload: some Collection<UInt8>) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(payload.count + 10)
        appendHead(opcode, length: payload.count, to: &buffer)
        buffer.writeBytes(payload)
        return buffer
    }

    /// - Parameter text: for a person; cut where a control frame ends.
    static func close(_ code: WebSocketCloseCode?, _ text: String = "") -> ByteBuffer {
        guard let code else { return frame(.close, []) }
        var payload = [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)]
        for character in text {
            guard payload.count + character.utf8.count <= 125 else { break }
            payload += Array(character.utf8)
        }
        return frame(.close, payload)
    }

    private static func appendHead(_ opcode: WebSocketOpcode, length: Int, to buffer: inout ByteBuffer) {
        buffer.writeInteger(0x80 | opcode.rawValue)
        switch length {
        case ..<126: buffer.writeInteger(UInt8(length))
        case ..<65_536:
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(length))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(length))
        }
    }
}
