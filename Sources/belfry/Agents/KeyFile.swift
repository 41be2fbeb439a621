import BelfryCore
import BelfryCrypto
import Glibc

/// An API key in a file, brought to where the hub may read it.
struct KeyFile {
    let path: String
    /// The kind of agent that it is for.
    let kind: String
    let options: ClientOptions

    /// The absolute path for the agent's document.
    ///
    /// The hub reads secrets only where its configuration allows; by default that is DIR/secrets. A hub elsewhere reads
    /// its own disk: then the path is taken as it is given.
    func place() throws -> String {
        guard Loopback.isLoopback(url: options.hubURL), access(options.dataFolder, W_OK) == 0 else {
            guard path.hasPrefix("/") else {
                throw Failure(
                    .usage, "--key-file: \(options.hubURL) reads its own disk: give the file's absolute path there")
            }
            return path
        }
        let key: [UInt8]
        do {
            key = try LocalFile.bytes(at: path, bytesMax: 64 * 1024)
        } catch let failure as Failure {
            throw Failure(failure.code, "--key-file: \(failure.message)")
        }
        guard key.contains(where: { $0 > 0x20 }) else { throw Failure(.usage, "--key-file: \(path) holds no key") }
        let folder = LocalFile.absolute(options.dataFolder) + "/secrets"
        let source = LocalFile.absolute(path)
        if source.hasPrefix(folder + "/") { return source }
        return try Self.copy(key, of: kind, into: folder)
    }

    /// Copies a key to `KIND-<first 8 digits of its SHA-256>.key`: another key is another file, so that a second
    /// agent's key never takes the place of the first one's.
    static func copy(_ key: [UInt8], of kind: String, into folder: String) throws -> String {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw Failure(.usage, "cannot make \(folder): \(LocalFile.lastError())")
        }
        let target = "\(folder)/\(kind)-\(Hex.encode(Digest.sha256(key)).prefix(8)).key"
        if access(target, F_OK) == 0 {
            guard try LocalFile.bytes(at: target, bytesMax: 64 * 1024) == key else {
                throw Failure(.negative, "\(target) holds another key and is left as it is; move it away first")
            }
            return target
        }
        try LocalFile.writeSecret(key, to: target)
        return target
    }
}
