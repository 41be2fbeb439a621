import BelfryCore
import BelfryCrypto

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `secret.key`: the key that generated secrets are sealed with, so that a copy of the database alone shows none.
enum KeyFile {
    /// Reads the key, or makes it where there is no database yet: a new key would open nothing in an old one.
    static func load(folder: String) throws(BelfryError) -> SealingKey {
        let path = folder + "/secret.key"
        if let bytes = try read(path) {
            guard let key = SealingKey(bytes: bytes) else {
                throw BelfryError(
                    .storageFailed, "\(path) holds \(bytes.count) bytes instead of \(SealingKey.byteCount): restore it"
                )
            }
            return key
        }
        guard access(folder + "/belfry.db", F_OK) != 0 else {
            throw BelfryError(
                .storageFailed,
                "\(path) is missing; the secrets in belfry.db are sealed with it: restore it from the backup"
            )
        }
        let bytes = Random.bytes(SealingKey.byteCount)
        try write(bytes, to: path)
        guard let key = SealingKey(bytes: bytes) else { throw BelfryError(.internal, "no sealing key") }
        return key
    }

    private static func read(_ path: String) throws(BelfryError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw failure("can't read", path) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw failure("can't read", path) }
        return Array(bytes.prefix(count))
    }

    /// Under another name first, so that a crash leaves a whole key or none.
    private static func write(_ bytes: [UInt8], to path: String) throws(BelfryError) {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("can't write", draft) }
        let isWritten = Glibc.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, rename(draft, path) == 0 else { throw failure("can't write", path) }
    }

    private static func failure(_ what: String, _ path: String) -> BelfryError {
        BelfryError(.storageFailed, "\(what) \(path): \(String(cString: strerror(errno)))")
    }
}
