import BelfryCore
import BelfryCrypto
import Testing

/// Digests and codes against published vectors (FIPS 180-4, RFC 2202, RFC 4231), and comparison.
struct DigestTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("SHA-256 of FIPS 180-4's examples")
    func sha256() {
        #expect(
            Hex.encode(Digest.sha256(bytes("abc")))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Hex.encode(Digest.sha256([UInt8]())) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Digest.sha256([bytes("a"), [], bytes("bc")]) == Digest.sha256(bytes("abc")))
        #expect(
            Hex.encode(Digest.sha256([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test("HMAC of RFC 2202 and RFC 4231, with short keys, long keys and a body in parts")
    func hmac() {
        let message = bytes("what do ya want for nothing?")
        #expect(
            Hex.encode(HMAC.code(.sha1, key: bytes("Jefe"), [message])) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
        let sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        #expect(Hex.encode(HMAC.code(.sha256, key: bytes("Jefe"), [message])) == sha256)
        #expect(
            Hex.encode(HMAC.code(.sha256, key: bytes("Jefe"), [Array(message[..<5]), [], Array(message[5...])]))
                == sha256)
        #expect(
            Hex.encode(HMAC.code(.sha512, key: bytes("Jefe"), [message]))
                == "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        )
        let longKey = [UInt8](repeating: 0xAA, count: 131)
        #expect(
            Hex.encode(
                HMAC.code(.sha256, key: longKey, [bytes("Test Using Larger Than Block-Size Key - Hash Key First")]))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test("codes are as long as their algorithm says", arguments: HMAC.Algorithm.allCases)
    func size(algorithm: HMAC.Algorithm) {
        #expect(HMAC.code(algorithm, key: [], [[]]).count == algorithm.size)
    }

    @Test("comparison tells every single differing bit, and length")
    func constantTime() {
        let value = Random.bytes(32)
        #expect(ConstantTime.areEqual(value, value))
        #expect(ConstantTime.areEqual([], []))
        #expect(!ConstantTime.areEqual(value, Array(value.dropLast())))
        for bit in 0..<256 {
            var other = value
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!ConstantTime.areEqual(value, other))
        }
    }

    @Test("random bytes have the length asked for and do not repeat")
    func random() {
        #expect(Random.bytes(0).isEmpty)
        #expect(Set((0..<200).map { _ in Random.bytes(16) }).count == 200)
    }
}
