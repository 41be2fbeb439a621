import BelfryHTTP
import Testing

@testable import BelfryAgents

struct UTF8AssemblerTests {
    @Test(
        "text cut anywhere, valid or not, is what decoding it whole gives",
        arguments: [
            Array("aä€𐍈z".utf8), [0xFF, 0xFE, 0x41], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xE2, 0x41, 0x82],
            [0xC0, 0xAF, 0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0x80, 0x80, 0x80, 0x80], [0xF0, 0x90, 0xF0, 0x90, 0x8D, 0x88], [0xF5, 0x80], [0xE2, 0xE2, 0x82, 0xAC], [],
        ])
    func cutAnywhere(bytes: [UInt8]) {
        let whole = String(decoding: bytes, as: UTF8.self)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var assembler = UTF8Assembler()
                let text =
                    [bytes[..<first], bytes[first..<second], bytes[second...]]
                    .map { assembler.decode(Array($0)) }.joined() + assembler.finish()
                #expect(Array(text.utf8) == Array(whole.utf8))
            }
        }
    }

    @Test("random bytes, too")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let alphabet: [UInt8] = [0x41, 0x80, 0x9F, 0xA0, 0xBF, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0x8F, 0x90, 0xFF]
        for _ in 0..<2000 {
            let bytes = (0..<12).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            var assembler = UTF8Assembler()
            let text = bytes.map { assembler.decode([$0]) }.joined() + assembler.finish()
            #expect(Array(text.utf8) == Array(String(decoding: bytes, as: UTF8.self).utf8), "\(bytes)")
        }
    }
}
