import BelfryCore
import BelfryEngine
import NIOCore
import Testing

@testable import BelfryServer

@Suite("WebSocket reader")
struct WebSocketReaderTests {
    private typealias Client = WebSocketClient

    /// Everything that can be read of bytes that come in the given pieces.
    private func read(
        _ pieces: [[UInt8]], bounds: WebSocketReader.Bounds = .init()
    ) throws(WebSocketReader.Fault) -> [WebSocketReader.Item] {
        var reader = WebSocketReader(bounds: bounds)
        var items: [WebSocketReader.Item] = []
        for piece in pieces {
            reader.append(ByteBuffer(bytes: piece))
            while let item = try reader.next() { items.append(item) }
        }
        return items
    }

    private func fault(_ bytes: [UInt8], bounds: WebSocketReader.Bounds = .init()) -> CloseReason? {
        do {
            _ = try read([bytes], bounds: bounds)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("the same items come however the bytes are cut")
    func cutAnywhere() throws {
        let long = String(repeating: "ä€𝄞x", count: 200)
        let bytes =
            Client.text("hello") + Client.frame(0x01, Array("one €".utf8.prefix(5))) + Client.frame(0x89, [1, 2, 3])
            + Client.frame(0x00, []) + Client.frame(0x80, Array("one €".utf8.dropFirst(5))) + Client.text(long)
            + Client.frame(0x82, [0xFF]) + Client.frame(0x8A, []) + Client.frame(0x88, [0x03, 0xE8, 0x62, 0x79])
        let expected: [WebSocketReader.Item] = [
            .text(ByteBuffer(string: "hello")), .ping(ByteBuffer(bytes: [1, 2, 3])), .text(ByteBuffer(string: "one €")),
            .text(ByteBuffer(string: long)), .binary(ByteBuffer(bytes: [0xFF])), .pong, .close(.normal),
        ]
        #expect(try read([bytes]) == expected)
        #expect(try read(bytes.map { [$0] }) == expected)
        for cut in stride(from: 1, to: bytes.count, by: 13) {
            #expect(try read([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected)
        }
    }

    @Test("masks and text are right at every offset and length")
    func offsets() throws {
        let text = String(repeating: "plain text, ", count: 3) + "ä€𝄞" + String(repeating: "x", count: 11)
        for length in 0...text.utf8.count {
            guard let part = String(validating: text.utf8.prefix(length), as: UTF8.self) else { continue }
            let bytes = Client.frame(0x81, Array(part.utf8), key: [0x80, 0x01, 0xFE, 0x5C])
            for cut in 0...bytes.count {
                #expect(
                    try read([Array(bytes[..<cut]), Array(bytes[cut...])]) == [.text(ByteBuffer(string: part))])
            }
        }
        var bad = Array(text.utf8)
        for index in bad.indices where bad[index] < 0x80 {
            let good = bad[index]
            bad[index] = 0xFF
            #expect(fault(Client.frame(0x81, bad)) == .invalidText)
            bad[index] = good
        }
    }

    @Test(
        "what breaks the protocol is known from the first bytes of the head",
        arguments: [
            [0xC1], [0xA1], [0x91], [0x83], [0x87], [0x8B], [0x8F],  // reserved bits and opcodes
            [0x09], [0x08], [0x80], [0x00],  // control in fragments, continuation of nothing
            [0x81, 0x05], [0x89, 0xFE], [0x88, 0xFF],  // no mask, long control frames
            [0x81, 0xFE, 0x00, 0x7D], [0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],  // lengths in too many bytes
            [0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]])
    func brokenHead(bytes: [UInt8]) { #expect(fault(bytes) == .protocolError) }

    @Test("a message inside a message breaks the protocol")
    func nestedMessage() { #expect(fault(Client.frame(0x01, [0x61]) + [0x81]) == .protocolError) }

    @Test("a 100 MB message is refused by its head")
    func tooLarge() { #expect(fault([0x82, 0xFF, 0, 0, 0, 0, 0x06, 0x40, 0, 0]) == .messageTooLarge) }

    @Test("fragments count together, empty ones too")
    func fragments() {
        let bounds = WebSocketReader.Bounds(messageBytesMax: 10, fragmentsMax: 4)
        let six = [UInt8](repeating: 0x61, count: 6)
        #expect(fault(Client.frame(0x01, six) + Client.frame(0x00, six), bounds: bounds) == .messageTooLarge)
        let empty = Client.frame(0x00, [])
        #expect(fault(Client.frame(0x01, []) + empty + empty + empty, bounds: bounds) == nil)
        #expect(fault(Client.frame(0x01, []) + empty + empty + empty + empty, bounds: bounds) == .messageTooLarge)
    }

    @Test("text is checked at each byte, across fragments and before the frame is whole")
    func brokenText() {
        let bad: [[UInt8]] = [
            [0x80], [0xC0, 0x80], [0xC1], [0xE0, 0x80], [0xED, 0xA0], [0xF0, 0x8F], [0xF4, 0x90], [0xF5], [0xFF],
            [0xE2, 0x28], [0xC3, 0x61],
        ]
        for bytes in bad {
            #expect(fault(Client.frame(0x01, [0x61] + bytes)) == .invalidText)
            #expect(
                fault(Client.frame(0x01, [0x61, bytes[0]]) + Client.frame(0x00, Array(bytes[1...])))
                    == .invalidText)
            // The head says 100 bytes; the fault is known at the bad one.
            let begun = Array(
                Client.frame(0x81, bytes + [UInt8](repeating: 0x61, count: 100 - bytes.count)).prefix(6 + bytes.count))
            #expect(fault(begun) == .invalidText)
        }
        #expect(fault(Client.frame(0x81, [0xE2, 0x82])) == .invalidText)
        #expect(fault(Client.frame(0x01, [0xE2]) + Client.frame(0x00, [0x82]) + Client.frame(0x80, [0xAC])) == nil)
    }

    @Test("a close frame has a code that may be sent, and a reason that is text")
    func closeFrames() throws {
        for code in [1000, 1001, 1003, 1007, 1011, 1013, 3000, 4999] {
            #expect(fault(Client.frame(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)])) == nil)
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
            #expect(fault(Client.frame(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)])) == .protocolError)
        }
        #expect(fault(Client.frame(0x88, [0x03])) == .protocolError)
        #expect(fault(Client.frame(0x88, [0x03, 0xE8, 0xFF])) == .invalidText)
        #expect(try read([Client.frame(0x88, [])]) == [.close(nil)])
    }

    @Test("what was read takes no room, also if every write of the client ends inside a head")
    func keepsNothingRead() throws {
        var reader = WebSocketReader()
        let pong = Client.frame(0x8A, [UInt8](repeating: 0x61, count: 100))
        reader.append(ByteBuffer(bytes: [pong[0]]))
        for _ in 0..<1000 {
            reader.append(ByteBuffer(bytes: pong.dropFirst() + pong.prefix(1)))
            #expect(try reader.next() == .pong)
            #expect(try reader.next() == nil)
            #expect(reader.bytesHeld <= 2 * pong.count)
        }
    }

    @Test("random bytes never do worse than a fault", arguments: 0..<20 as Range<UInt64>)
    func randomBytes(seed: UInt64) {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let bytes = (0..<Int.random(in: 1...200, using: &random)).map { _ in UInt8.random(in: 0...255) }
            _ = fault(bytes)
            // With a head that is good, so that more than the head is read.
            _ = fault([0x01, 0x80 | UInt8(bytes.count & 0x7D)] + bytes)
        }
    }

    @Test("frames of the server are whole, without a mask, and as long as their head says")
    func encoder() {
        for count in [0, 125, 126, 65_535, 65_536] {
            let payload = [UInt8](repeating: 0x61, count: count)
            let head: [UInt8] =
                switch count {
                case ..<126: [0x81, UInt8(count)]
                case ..<65_536: [0x81, 126, UInt8(count >> 8), UInt8(count & 0xFF)]
                default: [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]
                }
            #expect(Array(WebSocketEncoder.frame(.text, payload).readableBytesView) == head + payload)
        }
        let close = WebSocketEncoder.close(.policy, String(repeating: "ä", count: 200))
        #expect(close.readableBytes == 2 + 2 + 122)
    }
}
