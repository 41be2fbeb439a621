import COpenSSL

/// Message digests.
public enum Digest {
    /// SHA-256 (FIPS 180-4): 32 bytes.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] { sha256([bytes]) }

    /// SHA-1 (FIPS 180-4): 20 bytes. Broken as a proof of anything: only for protocols that name it, where it proves
    /// nothing.
    public static func sha1(_ bytes: [UInt8]) -> [UInt8] {
        let context = DigestContext()
        context.begin(.sha1)
        context.update(bytes)
        return context.finish(.sha1)
    }

    /// SHA-256 of the parts one after the other; none of them is copied.
    public static func sha256(_ parts: [[UInt8]]) -> [UInt8] {
        let context = DigestContext()
        context.begin(.sha256)
        for part in parts { context.update(part) }
        return context.finish(.sha256)
    }
}

/// A digest algorithm looked up once per process: a lookup at each call costs more than hashing a small message.
///
/// `@unchecked Sendable` because an `EVP_MD` is never written after it was fetched, and its reference count is atomic
/// (EVP_MD_fetch(3)).
struct DigestAlgorithm: @unchecked Sendable {
    let handle: OpaquePointer
    /// Bytes of a digest.
    let size: Int
    /// Bytes of the block that HMAC pads its key to (RFC 2104).
    let blockSize: Int

    static let sha1 = DigestAlgorithm("SHA1")
    static let sha256 = DigestAlgorithm("SHA2-256")
    static let sha512 = DigestAlgorithm("SHA2-512")

    private init(_ name: String) {
        guard let handle = EVP_MD_fetch(nil, name, nil) else {
            preconditionFailure("OpenSSL has no \(name): its default provider is not loaded")
        }
        self.handle = handle
        size = Int(EVP_MD_get_size(handle))
        blockSize = Int(EVP_MD_get_block_size(handle))
    }
}

/// One OpenSSL digest context, used by one call and freed with it.
///
/// Its calls fail only without memory; then the process ends rather than go on with a wrong digest.
struct DigestContext: ~Copyable {
    private let context: OpaquePointer

    init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory for a digest") }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    func begin(_ algorithm: DigestAlgorithm) {
        precondition(EVP_DigestInit_ex2(context, algorithm.handle, nil) == 1, "a digest could not begin")
    }

    func update(_ bytes: [UInt8]) {
        precondition(EVP_DigestUpdate(context, bytes, bytes.count) == 1, "a digest could not go on")
    }

    func finish(_ algorithm: DigestAlgorithm) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: algorithm.size) { buffer, count in
            precondition(EVP_DigestFinal_ex(context, buffer.baseAddress, nil) == 1, "a digest could not end")
            count = algorithm.size
        }
    }
}
