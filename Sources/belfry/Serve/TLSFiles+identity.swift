import BelfryCore
import BelfryServer

extension ServeConfiguration.TLSFiles {
    /// Reads the pair; nil if none is named. Throws a ``Failure`` that says which file is wrong and how to mend it.
    func identity() throws -> TLSIdentity? {
        guard let cert, let key else { return nil }
        func read(_ path: String, _ name: String) throws -> TLSIdentity.PEMFile {
            do {
                return .init(path: path, bytes: try LocalFile.bytes(at: path, bytesMax: Limits.pemBytesMax))
            } catch let failure as Failure {
                throw Failure(.usage, "tls.\(name): \(failure.message)")
            }
        }
        do {
            return try TLSIdentity(certificate: read(cert, "cert"), key: read(key, "key"))
        } catch let error as BelfryError {
            throw Failure(.usage, "tls: \(error.message)")
        }
    }
}
