import COpenSSL

/// Ed25519 signatures (RFC 8032).
public enum Ed25519 {
    public static let publicKeyBytes = 32
    public static let seedBytes = 32
    public static let signatureBytes = 64

    /// Whether the signature is the key's for the parts one after the other. False for a key or signature of the
    /// wrong length.
    public static func isValid(signature: [UInt8], message: [[UInt8]], publicKey: [UInt8]) -> Bool {
        guard signature.count == signatureBytes, publicKey.count == publicKeyBytes,
            let key = EVP_PKEY_new_raw_public_key(belfry_pkey_ed25519(), nil, publicKey, publicKey.count)
        else { return false }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        let message = Array(message.joined())
        return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// The signature of the parts one after the other; nil unless `seed` is the 32 bytes of a private key.
    public static func sign(message: [[UInt8]], seed: [UInt8]) -> [UInt8]? {
        withPrivateKey(seed) { key in
            guard let context = EVP_MD_CTX_new() else { return nil }
            defer { EVP_MD_CTX_free(context) }
            let message = Array(message.joined())
            var signature = [UInt8](repeating: 0, count: signatureBytes)
            var count = signatureBytes
            guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
                EVP_DigestSign(context, &signature, &count, message, message.count) == 1
            else { return nil }
            return signature
        }
    }

    /// The public key of a private key; nil unless `seed` is its 32 bytes.
    public static func publicKey(ofSeed seed: [UInt8]) -> [UInt8]? {
        withPrivateKey(seed) { key in
            var bytes = [UInt8](repeating: 0, count: publicKeyBytes)
            var count = publicKeyBytes
            return EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1 ? bytes : nil
        }
    }

    private static func withPrivateKey(_ seed: [UInt8], _ body: (OpaquePointer) -> [UInt8]?) -> [UInt8]? {
        guard seed.count == seedBytes,
            let key = EVP_PKEY_new_raw_private_key(belfry_pkey_ed25519(), nil, seed, seed.count)
        else { return nil }
        defer { EVP_PKEY_free(key) }
        return body(key)
    }
}
