import BelfryCore
import Foundation
import Testing

struct JSONScannerTests {
    private func isValid(_ bytes: [UInt8]) -> Bool { (try? RawJSON(validating: bytes)) != nil }

    private func foundationAccepts(_ bytes: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])) != nil
    }

    @Test("random documents are the same after writing and reading, and Foundation reads them too", arguments: 0..<200)
    func roundTrip(seed: Int) throws {
        var documents = RandomDocument(seed: UInt64(seed))
        let value = documents.value()
        let bytes = value.encoded()
        #expect(try JSONValue(parsing: bytes) == value)
        #expect(try RawJSON(validating: bytes).bytes == bytes)
        #expect(foundationAccepts(bytes))
    }

    @Test("a document cut at any byte is no document")
    func cut() {
        let text = Array(
            #"{"a":[1.5e3,true,false,null,"x\u00e9\\ y"],"é€😀":{"longer than eight bytes":"\""},"z":-0}"#.utf8)
        #expect(isValid(text))
        for count in text.indices { #expect(!isValid(Array(text[..<count])), "cut at \(count)") }
    }

    @Test("nesting is refused beyond the limit, and never exhausts the stack", arguments: ["[", "{\"a\":", "[{\"a\":"])
    func nesting(opening: String) {
        let deep = Array(String(repeating: opening, count: 10_000).utf8)
        #expect(throws: JSONError.self) { try RawJSON(validating: deep) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: deep) }
        #expect(throws: JSONError.self) { try PickedJSON(deep[...], JSONPaths(["a.a.a"])) }
        let max = Limits.jsonDepthMax
        func arrays(_ count: Int) -> [UInt8] {
            Array(String(repeating: "[", count: count).utf8) + Array(String(repeating: "]", count: count).utf8)
        }
        #expect(isValid(arrays(max)))
        #expect(!isValid(arrays(max + 1)))
    }

    @Test(
        "bytes that are not UTF-8 are refused in keys and values, at every distance from a word's border",
        arguments: [
            [0x80], [0xC0, 0xAF], [0xC1, 0x81], [0xC3], [0xE0, 0x80, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE],
            [0xFF], [0xF0, 0x9F, 0x98], [0xE2, 0x28, 0xA1],
        ] as [[UInt8]])
    func invalidUTF8(sequence: [UInt8]) {
        for padding in 0..<10 {
            let inside = [UInt8](repeating: UInt8(ascii: "a"), count: padding) + sequence + Array("bcdefgh".utf8)
            #expect(!isValid([0x22] + inside + [0x22]))
            #expect(!isValid(Array("{\"".utf8) + inside + Array("\":1}".utf8)))
        }
    }

    @Test(
        "well-formed UTF-8 of every length is accepted",
        arguments: ["\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}"])
    func validUTF8(text: String) throws {
        for padding in 0..<10 {
            let whole = String(repeating: "a", count: padding) + text + "tail of it"
            #expect(try JSONValue(parsing: "\"\(whole)\"") == .string(whole))
        }
    }

    @Test("control characters, quotes and backslashes stop a string wherever they stand")
    func specials() {
        for padding in 0..<20 {
            let plain = String(repeating: "~", count: padding)
            for control in UInt8(0)..<0x20 {
                #expect(!isValid(Array("\"\(plain)".utf8) + [control] + Array("12345678\"".utf8)))
            }
            #expect(isValid(Array("\"\(plain)\u{7F} !#[]12345678\"".utf8)))
            #expect(!isValid(Array("\"\(plain)\"12345678\"".utf8)))
            #expect(isValid(Array("\"\(plain)\\\"12345678\"".utf8)))
        }
    }

    @Test(
        "what RFC 8259 does not allow is refused",
        arguments: [
            "", " ", "01", "1.", ".5", "+1", "-", "1e", "1e+", "--1", "0x1", "NaN", "Infinity", "tru", "TRUE", "nul",
            "'a'",
            "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "[1 2]", "1 2", "{\"a\":1}}", "\"\\x\"", "\"\\u12g4\"",
            "\"\\u12\"",
            "\u{FEFF}1", "[", "]", "{", "}", ":", ",", "\"", "// x\n1", "1\u{A0}", "\u{0}",
        ])
    func refused(text: String) {
        #expect(!isValid(Array(text.utf8)))
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test("an error says what and where")
    func errors() {
        #expect(throws: JSONError("expected a value", at: 4)) { try RawJSON(validating: Array("[1, oops]".utf8)) }
        #expect(throws: JSONError("bytes that are not UTF-8", at: 9)) {
            try RawJSON(validating: Array("\"12345678".utf8) + [0xFF, 0x22])
        }
        #expect(throws: JSONError("something stands after the value", at: 2)) {
            try RawJSON(validating: Array("1 2".utf8))
        }
    }

    @Test("escapes mean what they say; half a surrogate pair becomes U+FFFD")
    func escapes() throws {
        #expect(try JSONValue(parsing: #""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#) == "\"\\/\u{8}\u{C}\n\r\té😀")
        #expect(try JSONValue(parsing: #""\ud83d""#) == "\u{FFFD}")
        #expect(try JSONValue(parsing: #""\ude00\ud83dx""#) == "\u{FFFD}\u{FFFD}x")
        #expect(try JSONValue(parsing: #""\ud83d\ud83d\ude00""#) == "\u{FFFD}😀")
    }
}
