/// Keyed-hash message authentication codes (RFC 2104, FIPS 198-1).
///
/// Written over the bare digests: on the ingest path OpenSSL's own MAC interface spends longer on its parameters than
/// on a small body.
public enum HMAC {
    public enum Algorithm: Sendable, Hashable, CaseIterable {
        case sha1, sha256, sha512

        /// Bytes of a code.
        public var size: Int { digest.size }

        var digest: DigestAlgorithm {
            switch self {
            case .sha1: .sha1
            case .sha256: .sha256
            case .sha512: .sha512
            }
        }
    }

    /// The code of the parts one after the other; none of them is copied.
    public static func code(_ algorithm: Algorithm, key: [UInt8], _ parts: [[UInt8]]) -> [UInt8] {
        let digest = algorithm.digest
        let context = DigestContext()
        var block = key
        if key.count > digest.blockSize {
            context.begin(digest)
            context.update(key)
            block = context.finish(digest)
        }
        block.append(contentsOf: repeatElement(0, count: digest.blockSize - block.count))

        context.begin(digest)
        context.update(block.map { $0 ^ 0x36 })
        for part in parts { context.update(part) }
        let inner = context.finish(digest)

        context.begin(digest)
        context.update(block.map { $0 ^ 0x5C })
        context.update(inner)
        return context.finish(digest)
    }
}
