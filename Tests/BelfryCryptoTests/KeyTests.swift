import BelfryCore
import BelfryCrypto
import Testing

/// Ed25519 against RFC 8032, section 7.1, and sealing.
struct KeyTests {
    private static let vectors: [(seed: String, publicKey: String, message: String, signature: String)] = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ]

    @Test("signs and verifies as RFC 8032 says", arguments: vectors.indices)
    func ed25519(index: Int) throws {
        let vector = Self.vectors[index]
        let seed = try #require(Hex.decode(vector.seed)), key = try #require(Hex.decode(vector.publicKey))
        let message = try #require(Hex.decode(vector.message)), signature = try #require(Hex.decode(vector.signature))
        #expect(Ed25519.publicKey(ofSeed: seed) == key)
        #expect(Ed25519.sign(message: [message], seed: seed) == signature)
        #expect(Ed25519.isValid(signature: signature, message: [[], message], publicKey: key))
        var tampered = signature
        tampered[3] ^= 1
        #expect(!Ed25519.isValid(signature: tampered, message: [message], publicKey: key))
        #expect(!Ed25519.isValid(signature: signature, message: [message, [0]], publicKey: key))
    }

    @Test("keys and signatures of another length never verify")
    func wrongLengths() {
        #expect(!Ed25519.isValid(signature: [], message: [[]], publicKey: Random.bytes(32)))
        #expect(!Ed25519.isValid(signature: Random.bytes(64), message: [[]], publicKey: []))
        #expect(Ed25519.sign(message: [[]], seed: Random.bytes(31)) == nil)
    }

    @Test("what was sealed opens, and only with the same key and context", arguments: [0, 1, 15, 16, 17, 5000])
    func seals(count: Int) throws {
        let key = try #require(SealingKey(bytes: Random.bytes(32)))
        let plain = Random.bytes(count)
        let sealed = key.seal(plain, context: "secret/github/1")
        #expect(key.open(sealed, context: "secret/github/1") == plain)
        #expect(key.seal(plain, context: "secret/github/1") != sealed)
        #expect(key.open(sealed, context: "secret/github/2") == nil)
        #expect(try #require(SealingKey(bytes: Random.bytes(32))).open(sealed, context: "secret/github/1") == nil)
        #expect(key.open(key.seal(plain, context: ""), context: "") == plain)
    }

    @Test("one changed or missing byte does not open")
    func tampered() throws {
        let key = try #require(SealingKey(bytes: Random.bytes(32)))
        let sealed = key.seal(Array("whsec_abc".utf8), context: "x")
        for index in sealed.indices {
            var other = sealed
            other[index] ^= 0x40
            #expect(key.open(other, context: "x") == nil)
            #expect(key.open(Array(sealed[..<index]), context: "x") == nil)
        }
    }

    @Test("a sealing key has 32 bytes and shows none of them")
    func keyForm() throws {
        #expect(SealingKey(bytes: Random.bytes(31)) == nil)
        let key = try #require(SealingKey(bytes: [UInt8](repeating: 7, count: 32)))
        #expect("\(key)" == "<sealing key>")
        #expect(String(reflecting: key) == "<sealing key>")
        #expect(Mirror(reflecting: key).children.isEmpty)
    }
}
