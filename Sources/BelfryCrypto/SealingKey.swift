import COpenSSL

/// Seals secrets for storage: AES-256-GCM (NIST SP 800-38D), a random nonce per seal.
///
/// Sealed bytes are nonce (12) ‖ ciphertext ‖ tag (16). The context is authenticated, not stored: what was sealed for
/// one place does not open in another.
public struct SealingKey: Sendable, CustomStringConvertible, CustomReflectable {
    public static let byteCount = 32
    private static let nonceBytes = 12
    private static let tagBytes = 16

    private let key: [UInt8]

    /// Nil unless `bytes` are 32.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        key = bytes
    }

    public var description: String { "<sealing key>" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Seals `plain` for `context`, such as `secret/github/2`.
    public func seal(_ plain: [UInt8], context: String) -> [UInt8] {
        let nonce = Random.bytes(Self.nonceBytes)
        let sealed = withCipher { cipher -> [UInt8]? in
            var output = [UInt8](repeating: 0, count: plain.count)
            var tag = [UInt8](repeating: 0, count: Self.tagBytes)
            let aad = Array(context.utf8)
            var count: Int32 = 0
            var end: UInt8 = 0
            guard EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1,
                EVP_EncryptUpdate(cipher, nil, &count, aad, Int32(aad.count)) == 1,
                EVP_EncryptUpdate(cipher, &output, &count, plain, Int32(plain.count)) == 1,
                EVP_EncryptFinal_ex(cipher, &end, &count) == 1,
                EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagBytes), &tag) == 1
            else { return nil }
            return nonce + output + tag
        }
        guard let sealed else { preconditionFailure("AES-256-GCM is not available") }
        return sealed
    }

    /// What was sealed; nil if the bytes, the key or the context are not the same.
    public func open(_ sealed: [UInt8], context: String) -> [UInt8]? {
        guard sealed.count >= Self.nonceBytes + Self.tagBytes else { return nil }
        let nonce = Array(sealed[..<Self.nonceBytes])
        let body = Array(sealed[Self.nonceBytes..<(sealed.count - Self.tagBytes)])
        var tag = Array(sealed[(sealed.count - Self.tagBytes)...])
        return withCipher { cipher in
            var output = [UInt8](repeating: 0, count: body.count)
            let aad = Array(context.utf8)
            var count: Int32 = 0
            var end: UInt8 = 0
            guard EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1,
                EVP_DecryptUpdate(cipher, nil, &count, aad, Int32(aad.count)) == 1,
                EVP_DecryptUpdate(cipher, &output, &count, body, Int32(body.count)) == 1,
                EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagBytes), &tag) == 1,
                EVP_DecryptFinal_ex(cipher, &end, &count) == 1
            else { return nil }
            return output
        }
    }

    /// A key for another purpose, from which this one can't be found: HMAC-SHA256 over the purpose's name.
    public func derived(for purpose: String) -> [UInt8] { HMAC.code(.sha256, key: key, [Array(purpose.utf8)]) }

    private func withCipher(_ body: (OpaquePointer) -> [UInt8]?) -> [UInt8]? {
        guard let cipher = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(cipher) }
        return body(cipher)
    }
}
