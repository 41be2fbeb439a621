public import BelfryCore
import NIOCore
import NIOSSL

/// A certificate with its chain and its key, checked: what the server shows clients on a TLS connection.
public struct TLSIdentity: Sendable {
    /// A file as it was read, and what messages call it.
    public struct PEMFile: Sendable {
        public var path: String
        public var bytes: [UInt8]

        public init(path: String, bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }

        /// Whether the file holds a block of this kind (RFC 7468).
        fileprivate func holds(_ label: String) -> Bool {
            bytes.firstRange(of: Array("-----BEGIN \(label)-----".utf8)) != nil
        }

        fileprivate func says(_ text: String) -> Bool { bytes.firstRange(of: Array(text.utf8)) != nil }

        /// - Parameter isOther: it holds what the other file should.
        fileprivate func lacks(_ what: String, isOther: Bool) -> BelfryError {
            let mend =
                isOther ? "are the two files exchanged?" : "such a file has lines that begin with -----BEGIN"
            return BelfryError(.malformed, "\(path) holds no PEM \(what): \(mend)")
        }
    }

    let context: NIOSSLContext
    /// When the first certificate of the chain ends.
    public let notAfter: Timestamp
    public let notBefore: Timestamp

    /// Reads a chain of certificates, the server's own first, and its key; both PEM.
    /// - Throws: `malformed` with the file and how to mend it.
    public init(certificate: PEMFile, key: PEMFile) throws(BelfryError) {
        let chain = try Self.chain(certificate)
        let privateKey = try Self.key(key)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        configuration.shutdownTimeout = TimeAmount(Limits.lingerTimeout)
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw BelfryError(
                .malformed,
                "the key in \(key.path) does not belong to the first certificate in \(certificate.path): name the pair "
                    + "that was made together, and the server's own certificate before those of its issuers")
        }
        notAfter = Timestamp(seconds: Int64(chain[0].notValidAfter))
        notBefore = Timestamp(seconds: Int64(chain[0].notValidBefore))
    }

    private static func chain(_ file: PEMFile) throws(BelfryError) -> [NIOSSLCertificate] {
        guard file.holds("CERTIFICATE") else {
            throw file.lacks("certificate", isOther: file.says("PRIVATE KEY-----"))
        }
        do {
            return try NIOSSLCertificate.fromPEMBytes(file.bytes)
        } catch {
            throw BelfryError(.malformed, "\(file.path) holds a certificate that can't be read: is the file whole?")
        }
    }

    private static func key(_ file: PEMFile) throws(BelfryError) -> NIOSSLPrivateKey {
        guard !file.holds("ENCRYPTED PRIVATE KEY"), !file.says("Proc-Type: 4,ENCRYPTED") else {
            throw BelfryError(
                .malformed,
                "the key in \(file.path) is encrypted, and nobody is there to ask for its passphrase; write it in the clear "
                    + "to a file that only the hub may read: openssl pkey -in \(file.path) -out KEY")
        }
        guard file.says("PRIVATE KEY-----") else { throw file.lacks("key", isOther: file.holds("CERTIFICATE")) }
        do {
            return try NIOSSLPrivateKey(bytes: file.bytes, format: .pem)
        } catch {
            throw BelfryError(.malformed, "\(file.path) holds a key that can't be read: is the file whole?")
        }
    }

    /// What an operator should know of it before clients refuse it; nil if nothing is.
    public func warning(at now: Timestamp) -> String? {
        if now < notBefore { return "the TLS certificate is not valid before \(notBefore)" }
        if now >= notAfter { return "the TLS certificate ended at \(notAfter): clients refuse it" }
        guard now + Limits.certificateWarning >= notAfter else { return nil }
        return "the TLS certificate ends at \(notAfter), in less than \(Limits.certificateWarning.shorthand)"
    }
}
