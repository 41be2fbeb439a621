import BelfryCore
import Foundation
import Glibc

@testable import BelfryCrypto

/// A server that plays one script to each connection, byte for byte: what a WebSocket client has to bear.
final class ScriptedHub: Sendable {
    /// What to do with a connection; when it returns, the connection is closed.
    typealias Script = @Sendable (Peer) throws -> Void

    private let listener: LocalListener

    /// - Parameter scripts: one per connection, in their order; the last is for all that follow.
    init(_ scripts: Script...) throws {
        listener = try LocalListener()
        listener.take { client, index in
            try? scripts[min(index, scripts.count - 1)](Peer(descriptor: client))
        }
    }

    deinit { listener.stop() }

    var port: Int { listener.port }
    var url: String { "http://127.0.0.1:\(port)" }

    /// The other end of one connection.
    struct Peer {
        let descriptor: Int32

        /// A client's frame, unmasked.
        struct Frame {
            var opcode: UInt8
            var isMasked: Bool
            var payload: [UInt8]
            var json: JSONValue { (try? JSONValue(parsing: payload)) ?? .null }
        }

        func write(_ bytes: [UInt8]) throws {
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw Timeout(what: "room in the socket") }
                rest = rest.dropFirst(count)
            }
        }

        /// Exactly so many bytes; throws when the client closes before.
        func read(_ count: Int) throws -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            var length = 0
            while length < count {
                let got = bytes.withUnsafeMutableBytes {
                    recv(descriptor, $0.baseAddress.map { $0 + length }, count - length, 0)
                }
                guard got > 0 else { throw Timeout(what: "bytes of the client") }
                length += got
            }
            return bytes
        }

        /// The lines of the request's head.
        func head() throws -> [String] {
            var bytes: [UInt8] = []
            while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) { bytes += try read(1) }
            return String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
        }

        /// Reads the request and gives the bytes of the answer that upgrades it.
        func acceptance() throws -> [UInt8] {
            let key = try head().first { $0.lowercased().hasPrefix("sec-websocket-key:") }?.split(separator: " ").last
            let digest = DigestContext()
            digest.begin(.sha1)
            // RFC 6455, section 1.3.
            digest.update(Array("\(key ?? "")258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
            let accept = Data(digest.finish(.sha1)).base64EncodedString()
            return Array(
                """
                HTTP/1.1 101 Switching Protocols\r
                Upgrade: websocket\r
                Connection: upgrade\r
                Sec-WebSocket-Accept: \(accept)\r
                \r

                """.utf8)
        }

        /// Upgrades, and reads the client's subscription.
        func upgrade() throws -> JSONValue {
            try write(try acceptance())
            return try frame().json
        }

        func frame() throws -> Frame {
            let start = try read(2)
            var length = Int(start[1] & 0x7F)
            if length >= 126 { length = try read(length == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) } }
            let isMasked = start[1] & 0x80 != 0
            let mask = isMasked ? try read(4) : [0, 0, 0, 0]
            let payload = try read(length).enumerated().map { $1 ^ mask[$0 % 4] }
            return Frame(opcode: start[0] & 0x0F, isMasked: isMasked, payload: payload)
        }

        func send(_ text: String) throws { try write(ScriptedHub.frame(text)) }

        func close(_ code: UInt16, _ reason: String = "") throws {
            try write(
                ScriptedHub.frame([UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8), opcode: 8))
        }

        /// Waits until the client is gone.
        func drain() { while (try? read(1)) != nil {} }
    }

    /// A server's frame: whole or a fragment, not masked.
    static func frame(_ payload: [UInt8], opcode: UInt8, isLast: Bool = true) -> [UInt8] {
        let start = (isLast ? 0x80 : 0) | opcode
        switch payload.count {
        case ..<126: return [start, UInt8(payload.count)] + payload
        case ..<65536: return [start, 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)] + payload
        default:
            return [start, 127] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> ($0 * 8)) }
                + payload
        }
    }

    static func frame(_ text: String) -> [UInt8] { frame(Array(text.utf8), opcode: 1) }

    /// The `frame` notification of a NOTICE.
    static func notice(_ position: Int, _ title: String = "Disk") -> String {
        #"{"jsonrpc":"2.0","method":"frame","params":{"position":\#(position),"time":"2026-11-23T03:45:31.000Z","#
            + #""topic":"alerts","type":"NOTICE","data":{"kind":"disk","severity":"error","title":"\#(title)","#
            + #""text":"it is full","link":"/#source/plant","source":"plant"}}}"#
    }

    static func subscribed(_ position: Int) -> String {
        #"{"jsonrpc":"2.0","id":1,"result":{"topics":["alerts"],"position":\#(position)}}"#
    }
}
