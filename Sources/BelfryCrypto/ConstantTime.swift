import COpenSSL

/// Comparison whose duration says nothing about where two secrets differ.
public enum ConstantTime {
    /// Whether the bytes are the same. Only the lengths may leak.
    public static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
    }
}
