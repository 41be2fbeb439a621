import Glibc

/// An API key in a file, brought to where the hub may read it.
struct KeyFile {
    let path: String
    let options: ClientOptions

    /// The absolute path for the agent's document.
    ///
    /// The hub reads secrets only where its configuration allows; by default that is DIR/secrets. A hub elsewhere reads
    /// its own disk: then the path is taken as it is given.
    func place() throws -> String {
        guard Loopback.isLoopback(url: options.hubURL), access(options.dataFolder, W_OK) == 0 else {
            guard path.hasPrefix("/") else {
                throw Failure(.usage, "\(options.hubURL) reads its own disk: give the key file's absolute path there")
            }
            return path
        }
        let key = try LocalFile.bytes(at: path, bytesMax: 64 * 1024)
        guard key.contains(where: { $0 > 0x20 }) else { throw Failure(.usage, "\(path) holds no key") }
        let folder = LocalFile.absolute(options.dataFolder) + "/secrets"
        let source = LocalFile.absolute(path)
        if source.hasPrefix(folder + "/") { return source }
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw Failure(.usage, "cannot make \(folder): \(LocalFile.lastError())")
        }
        let target = folder + "/openai.key"
        try LocalFile.writeSecret(key, to: target)
        return target
    }
}
