import BelfryCore

/// A WebSocket to the real binary: its text messages as they come, byte for byte.
final class RawWebSocket {
    private let socket: RawSocket
    private var unread: [UInt8] = []
    private var calls = 0

    /// What the server said last: the code of its close frame.
    private(set) var closeCode: Int?

    init(port: Int, token: String) async throws {
        socket = try RawSocket(port: port)
        try socket.write(
            Array(
                """
                GET /v1/ws HTTP/1.1\r
                Host: 127.0.0.1:\(port)\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
                Sec-WebSocket-Version: 13\r
                Authorization: Bearer \(token)\r
                \r\n
                """.utf8
            )
        )
        let end = Array("\r\n\r\n".utf8)
        while unread.firstRange(of: end) == nil { try await more() }
        let head = unread.firstRange(of: end).map { Array(unread[..<$0.upperBound]) } ?? []
        guard String(decoding: head, as: UTF8.self).hasPrefix("HTTP/1.1 101 ") else {
            throw Timeout(what: "an upgrade: \(String(decoding: unread, as: UTF8.self))")
        }
        unread.removeFirst(head.count)
    }

    func call(_ method: String, _ params: JSONValue) throws {
        calls += 1
        let json: JSONValue = [
            "jsonrpc": "2.0", "id": .int(calls), "method": .string(method), "params": params,
        ]
        try send(0x81, json.encoded())
    }

    /// Sends one frame of fewer than 65,536 bytes.
    func send(_ first: UInt8, _ payload: [UInt8]) throws {
        let length: [UInt8] =
            payload.count < 126
            ? [0x80 | UInt8(payload.count)] : [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        // A mask of zeros leaves the payload as it is.
        try socket.write([first] + length + [0, 0, 0, 0] + payload)
    }

    /// The next text message; nil when the server has closed. Pings are passed over.
    func next() async throws -> String? {
        while true {
            while unread.count < 2 { try await more() }
            let short = Int(unread[1])
            let head = short < 126 ? 2 : (short == 126 ? 4 : 10)
            while unread.count < head { try await more() }
            let length = short < 126 ? short : unread[2..<head].reduce(0) { $0 << 8 | Int($1) }
            while unread.count < head + length { try await more() }
            let first = unread[0]
            let payload = Array(unread[head..<(head + length)])
            unread.removeFirst(head + length)
            switch first {
            case 0x81: return String(decoding: payload, as: UTF8.self)
            case 0x88:
                closeCode = payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : 1005
                return nil
            default: break
            }
        }
    }

    /// The next answer, and the frames that came before it, as they stand in their notifications.
    func answer() async throws -> (json: JSONValue, frames: [String]) {
        var frames: [String] = []
        while let text = try await next() {
            guard let frame = Self.frame(text) else { return (try JSONValue(parsing: text), frames) }
            frames.append(frame)
        }
        throw Timeout(what: "an answer; the server closed with \(closeCode ?? 0)")
    }

    /// Frames until one has this type, as they stand in their notifications.
    func frames(through type: String) async throws -> [String] {
        var frames: [String] = []
        while let text = try await next() {
            guard let frame = Self.frame(text) else { continue }
            frames.append(frame)
            if try JSONValue(parsing: frame)["type"]?.string == type { return frames }
        }
        throw Timeout(what: "a frame \(type); the server closed with \(closeCode ?? 0)")
    }

    func close() { socket.close() }

    private static func frame(_ text: String) -> String? {
        let start = #"{"jsonrpc":"2.0","method":"frame","params":"#
        return text.hasPrefix(start) ? String(text.dropFirst(start.count).dropLast()) : nil
    }

    private func more() async throws {
        guard let bytes = try await onOwnThread({ [socket] in try socket.read(within: .seconds(20)) }) else {
            throw Timeout(what: "more of a WebSocket; the server closed the connection")
        }
        unread += bytes
    }
}
