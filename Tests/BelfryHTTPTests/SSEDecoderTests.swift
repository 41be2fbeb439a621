import BelfryCore
import Foundation
import Testing

@testable import BelfryHTTP

/// The decoder against the specification's own words, others' cases, and every way to cut a stream.
@Suite(.timeLimit(.minutes(3)))
struct SSEDecoderTests {
    @Test("fields, comments, all three line ends, BOM, ids and retry", arguments: [1, 2, 3, 7, 1000])
    func rules(size: Int) throws {
        let stream =
            "\u{FEFF}: a comment\r\rdata:one\r\ndata: two\ndata:  three\n\n"
            + "event: tick\rid: 7\rdata\r\r"
            + "id: with\u{0}nul\nretry: 250\nretry: 1x\nunknown: field\ndata: x\n\n"
            + "event: no data\n\nid\ndata: reset\n\ndata: never finished"
        var decoder = SSEDecoder()
        let events = try decoder.decodeAll(Array(stream.utf8), by: size)
        #expect(events.map(\.text) == ["one\ntwo\n three", "", "x", "reset"])
        #expect(events.map(\.type) == ["message", "tick", "message", "message"])
        #expect(events.map(\.lastEventID) == ["", "7", "7", ""])
        #expect(decoder.retry == .milliseconds(250))
    }

    @Test("a line and an event have a limit")
    func bounds() throws {
        var decoder = SSEDecoder(lineBytesMax: 10, eventBytesMax: 20)
        #expect(try decoder.decode(Array("data: 1234\n\n".utf8)).count == 1)
        #expect(throws: SSEDecoder.Overflow(bytesMax: 10)) { try decoder.decode(Array("data: 12345".utf8)) }
        decoder = SSEDecoder(lineBytesMax: 10, eventBytesMax: 20)
        #expect(throws: SSEDecoder.Overflow(bytesMax: 20)) {
            for _ in 0..<10 { _ = try decoder.decode(Array("data:12345\n".utf8)) }
        }
        // A thousand megabytes of one line do not gather.
        decoder = SSEDecoder(lineBytesMax: 100, eventBytesMax: 100)
        #expect(throws: SSEDecoder.Overflow.self) {
            while true { _ = try decoder.decode([UInt8](repeating: 0x61, count: 64)) }
        }
    }

    @Test(
        "web-platform-tests' streams mean the same, cut anywhere",
        .enabled(if: Conformance.exists("sse/wpt_format.json"), "the conformance folder is not there")
    )
    func webPlatformTests() throws {
        let cases = try #require(try Conformance.json("sse/wpt_format.json").array)
        #expect(cases.count >= 20)
        for test in cases {
            let bytes = try #require(test["bytes_b64"]?.string.flatMap { Base64.decode($0) })
            let expected = try #require(test["expect"]?.array)
            for size in [1, 2, 3, 5, 64, max(bytes.count, 1)] {
                var decoder = SSEDecoder()
                let events = try decoder.decodeAll(bytes, by: size)
                let name = test["name"]?.string ?? ""
                #expect(events.map(\.type) == expected.map { $0["type"]?.string ?? "message" }, "\(name)")
                #expect(events.map(\.data) == expected.map { Array(($0["data"]?.string ?? "").utf8) }, "\(name)")
                #expect(events.map(\.lastEventID) == expected.map { $0["id"]?.string ?? "" }, "\(name)")
                if let retry = test["retry_ms"]?.number?.int64 {
                    #expect(decoder.retry == .milliseconds(retry), "\(name)")
                }
            }
        }
    }

    @Test(
        "a stream means the same in the SDKs' pieces, whole, and cut at every byte",
        .enabled(if: Conformance.exists("sse/sse_decoder_edges.json"), "the conformance folder is not there")
    )
    func edges() throws {
        let cases = try #require(try Conformance.json("sse/sse_decoder_edges.json").array)
        #expect(cases.count >= 20)
        for test in cases {
            let pieces = try #require(test["chunks_b64"]?.array).map {
                try #require($0.string.flatMap { Base64.decode($0) })
            }
            let bytes = Array(pieces.joined())
            var decoder = SSEDecoder()
            let whole = try decoder.decode(bytes)
            var cut = SSEDecoder()
            var inPieces: [SSEEvent] = []
            for piece in pieces { inPieces += try cut.decode(piece) }
            #expect(inPieces == whole)
            for index in 0...bytes.count {
                var cut = SSEDecoder()
                let events = try cut.decode(Array(bytes[..<index])) + cut.decode(Array(bytes[index...]))
                #expect(events == whole)
            }
            // The SDKs deliver events without data, WHATWG does not; those with data are the same.
            let dataLines = (test["text"]?.string ?? "").components(separatedBy: "\n\n").filter { $0.contains("data:") }
            #expect(whole.count == dataLines.count, "\(test["name"]?.string ?? "")")
        }
    }

    @Test("lines are cut or refused at their limit, and end with LF or CRLF")
    func lines() throws {
        for size in 1...12 {
            var splitter = LineSplitter(lineBytesMax: 5, overflow: .cut)
            var lines: [[UInt8]] = []
            for piece in Array("ab\r\n\ncdefghij\nkl".utf8).pieces(of: size) { lines += try splitter.split(piece) }
            lines += [splitter.finish()].compactMap { $0 }
            #expect(lines.map { String(decoding: $0, as: UTF8.self) } == ["ab", "", "cdefg", "kl"])
        }
        var splitter = LineSplitter(lineBytesMax: 5, overflow: .fail)
        #expect(throws: SSEDecoder.Overflow.self) { try splitter.split(Array("abcdef".utf8)) }
    }
}

extension SSEDecoder {
    fileprivate mutating func decodeAll(_ bytes: [UInt8], by size: Int) throws -> [SSEEvent] {
        var events: [SSEEvent] = []
        for piece in bytes.pieces(of: size) { events += try decode(piece) }
        return events
    }
}

extension [UInt8] {
    func pieces(of size: Int) -> [[UInt8]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
