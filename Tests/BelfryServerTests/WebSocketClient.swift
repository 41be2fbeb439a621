import BelfryCore
import NIOCore

@testable import BelfryServer

/// A WebSocket client that sends what it is told, byte for byte, and takes apart what comes.
final class WebSocketClient {
    struct Frame: Equatable {
        var first: UInt8
        var payload: [UInt8]

        var text: String { String(decoding: payload, as: UTF8.self) }
        var json: JSONValue { (try? JSONValue(parsing: payload)) ?? .null }
        var isText: Bool { first == 0x81 }
        var closeCode: Int? {
            first == 0x88 && payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil
        }
    }

    let raw: RawClient
    private var consumed = 0

    static let key = "dGhlIHNhbXBsZSBub25jZQ=="

    static func handshake(token: String? = nil, headers: String = "") -> String {
        let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        return "GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
            + "Sec-WebSocket-Key: \(key)\r\nSec-WebSocket-Version: 13\r\n\(authorization)\(headers)\r\n"
    }

    init(_ raw: RawClient) { self.raw = raw }

    /// Connects and reads the answer's head.
    static func connect(port: Int, token: String, headers: String = "") async throws -> WebSocketClient {
        let client = WebSocketClient(try await RawClient.connect(port: port))
        try await client.raw.send(handshake(token: token, headers: headers))
        try await client.readHead()
        return client
    }

    func readHead() async throws {
        let head = try await raw.read(until: "\r\n\r\n")
        guard head.hasPrefix("HTTP/1.1 101 ") else { throw RawClient.Ended(received: head) }
        consumed = head.utf8.count - (head.components(after: "\r\n\r\n").utf8.count)
    }

    /// The bytes of one frame, masked as a client's must be.
    static func frame(_ first: UInt8, _ payload: [UInt8], key: [UInt8] = [0x12, 0xA4, 0x00, 0xFF]) -> [UInt8] {
        var bytes = [first]
        switch payload.count {
        case ..<126: bytes.append(0x80 | UInt8(payload.count))
        case ..<65_536: bytes += [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: bytes += [0xFF] + (0..<8).map { UInt8(payload.count >> (56 - 8 * $0) & 0xFF) }
        }
        bytes += key
        for (index, byte) in payload.enumerated() { bytes.append(byte ^ key[index % 4]) }
        return bytes
    }

    static func text(_ text: String) -> [UInt8] { frame(0x81, Array(text.utf8)) }

    func send(_ text: String) async throws { try await raw.send(Self.text(text)) }

    func send(frame first: UInt8, _ payload: [UInt8] = []) async throws {
        try await raw.send(Self.frame(first, payload))
    }

    /// Calls a method; its answer is among the frames that follow.
    func call(_ method: String, _ params: String = "{}", id: Int = 1) async throws {
        try await send(#"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#)
    }

    /// The next frame of the server.
    func next() async throws -> Frame {
        func byte(_ offset: Int) -> Int { Int(raw.received[consumed + offset]) }
        try await raw.read(bytes: consumed + 2)
        let short = byte(1)
        let head = short < 126 ? 2 : (short == 126 ? 4 : 10)
        try await raw.read(bytes: consumed + head)
        let length = short < 126 ? short : (2..<head).reduce(0) { $0 << 8 | byte($1) }
        try await raw.read(bytes: consumed + head + length)
        let frame = Frame(
            first: raw.received[consumed],
            payload: Array(raw.received[(consumed + head)..<(consumed + head + length)])
        )
        consumed += head + length
        return frame
    }

    /// The next answer, and the notifications before it.
    func answer() async throws -> (answer: JSONValue, frames: [JSONValue]) {
        var frames: [JSONValue] = []
        while true {
            let json = try await next().json
            guard json["method"]?.string == "frame" else { return (json, frames) }
            frames.append(json["params"] ?? .null)
        }
    }

    /// The code that the server closes with; frames before it are passed over.
    func closeCode() async throws -> Int? {
        while true {
            let frame = try await next()
            if frame.first == 0x88 { return frame.closeCode }
        }
    }

    /// Whether the server closes the connection with nothing more to say.
    func ends() async -> Bool {
        let before = raw.received.count
        _ = await raw.readToEnd()
        return raw.received.count == before && consumed == before
    }

    func close() async { await raw.close() }
}

extension String {
    fileprivate func components(after marker: String) -> Substring {
        firstRange(of: marker).map { self[$0.upperBound...] } ?? ""
    }
}
