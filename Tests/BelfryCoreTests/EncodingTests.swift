import BelfryCore
import Foundation
import Testing

/// Base 64 and hex are strict: what they accept has one spelling.
struct EncodingTests {
    @Test("base 64 agrees with Foundation and comes back", arguments: 0..<70)
    func base64(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let text = Base64.encode(bytes)
        #expect(text == Data(bytes).base64EncodedString())
        #expect(Base64.decode(text) == bytes)
    }

    @Test(
        "loose base 64 is refused",
        arguments: [
            "A", "AA", "AAA", "AA=", "A===", "====", "AB==", "AAB=", "AA==AA==", "AAAA\n", " AAAA", "AA-_", "é===",
            "AAAA=",
        ])
    func strictBase64(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("hex takes both cases and whole bytes only")
    func hex() {
        #expect(Hex.encode([0, 0x9A, 0xFF]) == "009aff")
        #expect(Hex.decode("009aFF") == [0, 0x9A, 0xFF])
        #expect(Hex.decode("") == [])
        for text in ["0", "0g", " 00", "0x00", "００", "00 "] { #expect(Hex.decode(text) == nil) }
    }
}
