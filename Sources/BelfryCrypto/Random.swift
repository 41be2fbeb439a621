import COpenSSL

/// Random bytes that nobody can predict.
public enum Random {
    /// From OpenSSL's generator; should it have no entropy, from the kernel's.
    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            if RAND_bytes(buffer.baseAddress, Int32(count)) != 1 {
                var generator = SystemRandomNumberGenerator()
                for index in 0..<count { buffer[index] = UInt8(truncatingIfNeeded: generator.next()) }
            }
            initialized = count
        }
    }
}
