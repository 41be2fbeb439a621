import Foundation

/// Certificates of an authority of the test's own, made by openssl.
struct Certificates {
    let folder: TemporaryFolder

    var authority: String { "\(folder.path)/ca.pem" }

    init() async throws {
        folder = try TemporaryFolder()
        try await openssl("req -x509 \(Self.newKey("ca.key")) -out ca.pem -days 30 -subj '/CN=Test authority'")
    }

    private static func newKey(_ name: String) -> String {
        "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout \(name)"
    }

    /// A certificate for this machine, and its key: the paths of both.
    func make(_ name: String, days: Int = 30) async throws -> (certificate: String, key: String) {
        _ = try folder.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n", to: "\(name).ext")
        try await openssl("req \(Self.newKey("\(name).key")) -out \(name).csr -subj '/CN=\(name)'")
        try await openssl(
            "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days \(days) "
                + "-extfile \(name).ext -out \(name).pem")
        return ("\(folder.path)/\(name).pem", "\(folder.path)/\(name).key")
    }

    func openssl(_ arguments: String) async throws {
        let code = try await Shell.run("cd '\(folder.path)' && openssl \(arguments)")
        guard code == 0 else { throw Timeout(what: "openssl \(arguments)") }
    }
}
