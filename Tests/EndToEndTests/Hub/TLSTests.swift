import BelfryCore
import Foundation
import Testing

@testable import belfry

/// `belfry serve --tls-cert … --tls-key …`
@Suite(
    .timeLimit(.minutes(3)),
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "openssl is not installed"))
struct TLSTests {
    private func hub(
        _ pair: (certificate: String, key: String), arguments: [String] = [],
        _ body: (HubProcess) async throws -> Void
    ) async throws {
        try await withHub(
            documents: Documents.github(),
            arguments: ["--tls-cert", pair.certificate, "--tls-key", pair.key] + arguments, body)
    }

    /// A curl that runs on.
    private func curl(_ hub: HubProcess, _ certificates: Certificates, _ arguments: [String]) throws -> ChildProcess {
        let name = "\(hub.folder.path)/\(UUID().uuidString)"
        return try ChildProcess(
            "/usr/bin/curl",
            ["-sSN", "--noproxy", "*", "--cacert", certificates.authority, "-H"]
                + ["Authorization: Bearer \(try hub.adminToken)"] + arguments,
            outputPath: name, errorPath: name + ".err")
    }

    private func ask(_ hub: HubProcess, _ certificates: Certificates, _ path: String) async throws -> JSONValue {
        let process = try curl(hub, certificates, [hub.url + path])
        #expect(try await process.end() == 0, "\(process.errors)")
        return try JSONValue(parsing: process.output)
    }

    /// What a shell makes of a line in which `HUB` is the hub's address.
    private func shell(_ hub: HubProcess, _ line: String) async throws -> String {
        let path = "\(hub.folder.path)/\(UUID().uuidString)"
        let host = "127.0.0.1:\(hub.port)"
        _ = try await Shell.run("(\(line.replacing("HUB", with: host))) > '\(path)' 2>&1")
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    @Test("hooks, event streams, listen and commands work over TLS, with an authority of one's own")
    func works() async throws {
        let certificates = try await Certificates()
        try await hub(try await certificates.make("hub")) { hub in
            #expect(hub.url.hasPrefix("https://"))
            let trust = ["SSL_CERT_FILE": certificates.authority]
            let stream = try curl(hub, certificates, [hub.url + "/v1/stream?topic=run/*&topic=runs&after=0"])
            let name = "\(hub.folder.path)/listen"
            let listen = try ChildProcess(
                try BuildProducts.belfry(), ["listen", "--topic", "runs", "--after", "0", "--output", "json"],
                environment: ["BELFRY_URL": hub.url, "BELFRY_DATA": hub.dataFolder].merging(trust) { $1 },
                outputPath: name, errorPath: name + ".err")
            let sent = try await hub.belfry("send", "github-issues", environment: trust)
            #expect(sent.code == 0, "\(sent.errors)")
            for (process, what) in [(stream, "curl"), (listen, "belfry listen")] {
                _ = try await eventually("the run's end at \(what)") {
                    process.output.contains("RUN_FINISHED") ? true : nil
                }
            }
            let runs = try await hub.belfry("runs", "list", "--output", "json", environment: trust)
            let run = try #require(runs.json["items"]?.array?.first?["id"]?.string)
            let watched = try await hub.belfry("runs", "watch", run, environment: trust)
            #expect(watched.code == 0 && !watched.output.isEmpty)
            let doctor = try await hub.belfry("doctor", "--output", "json", environment: trust)
            let finding = doctor.json["items"]?.array?.first { $0["name"]?.string == "certificate" }
            #expect(finding?["grade"]?.string == "ok")
            #expect(doctor.output.contains("ready at https://127.0.0.1"))
            // The link of a sign-in, and a session's cookie.
            let link = try await hub.belfry("tokens", "sign-in", environment: trust)
            #expect(link.output.hasPrefix("https://127.0.0.1"))
            let token = #"{"token":"\#(try hub.adminToken)"}"#
            let session = try curl(hub, certificates, ["-i", "-d", token, hub.url + "/v1/session"])
            #expect(try await session.end() == 0)
            #expect(session.output.contains("; Secure"))
            // Nobody is trusted unasked.
            let refused = try await hub.belfry("runs", "list")
            #expect(refused.code == 3 && refused.errors.contains("SSL_CERT_FILE"))
            // SIGTERM: the last words come over TLS too.
            #expect(try await hub.terminate() == 0)
            #expect(try await stream.end() == 0)
            #expect(stream.output.contains(#""type":"CLOSING""#))
            listen.send(SIGTERM)
            _ = try await listen.end()
        }
    }

    @Test("only TLS 1.2 and later, HTTP/1.1, and a clear word to whoever speaks plain HTTP")
    func protocols() async throws {
        let certificates = try await Certificates()
        try await hub(try await certificates.make("hub"), arguments: ["--log-level", "debug"]) { hub in
            let chosen = try await shell(hub, "openssl s_client -connect HUB -alpn h2,http/1.1 </dev/null")
            #expect(chosen.contains("ALPN protocol: http/1.1"))
            let old = "openssl s_client -connect HUB -cipher ALL:@SECLEVEL=0"
            #expect(try await shell(hub, "\(old) -tls1_2 </dev/null").contains("Protocol  : TLSv1.2"))
            #expect(try await shell(hub, "\(old) -tls1_1 </dev/null").contains("alert protocol version"))
            let plain = try await hub.client.request("GET", "/readyz")
            #expect(plain.status == 400 && plain.text.contains("https://"))
            // Neither HTTP nor TLS, and nothing at all.
            for bytes in [[0x16, 0x03, 0x01, 0x00, 0x05, 1, 2, 3, 4, 5], [0], []] as [[UInt8]] {
                let socket = try RawSocket(port: hub.port)
                try socket.write(bytes)
                shutdown(socket.descriptor, Int32(SHUT_WR))
                while try await onOwnThread({ try socket.read(within: .seconds(20)) }) != nil {}
            }
            #expect(hub.log.contains("plain HTTP on the TLS port"))
            #expect(hub.log.contains("a TLS connection failed"))
            #expect(try await ask(hub, certificates, "/readyz")["status"]?.string == "ready")
        }
    }

    @Test("SIGHUP reads the pair anew; open connections live on; a bad pair changes nothing and is told of")
    func reloads() async throws {
        let certificates = try await Certificates()
        let first = try await certificates.make("first")
        let second = try await certificates.make("second", days: 5)
        try await hub(first) { hub in
            func subject() async throws -> String {
                try await shell(hub, "openssl s_client -connect HUB </dev/null | openssl x509 -noout -subject")
            }
            func install(_ certificate: String, _ key: String) async throws {
                _ = try await Shell.run("cp '\(certificate)' '\(first.certificate)'; cp '\(key)' '\(first.key)'")
                hub.process.send(SIGHUP)
            }
            let stream = try curl(hub, certificates, [hub.url + "/v1/stream?topic=alerts&after=0"])
            #expect(try await subject().contains("first"))
            // A pair that does not belong together.
            let kept = try String(contentsOfFile: first.key, encoding: .utf8)
            try await install(second.certificate, first.key)
            _ = try await eventually("the refusal") {
                hub.log.contains("the TLS certificate can't be reloaded, the one from before stays") ? true : nil
            }
            #expect(!hub.log.contains(kept))
            #expect(try await subject().contains("first"))
            _ = try await eventually("the notice") { stream.output.contains(#""kind":"tls""#) ? true : nil }
            let trust = ["SSL_CERT_FILE": certificates.authority]
            let doctor = try await hub.belfry("doctor", environment: trust)
            #expect(doctor.code == 1 && doctor.output.contains("not reloaded: tls: the key in"))
            // The right one, which ends soon.
            try await install(second.certificate, second.key)
            _ = try await eventually("the new certificate") { try await subject().contains("second") ? true : nil }
            _ = try await eventually("the warning") { hub.log.contains("in less than 14d") ? true : nil }
            let status = try await ask(hub, certificates, "/v1/status")
            #expect(status["tls"]?["error"] == .null)
            let warned = try await hub.belfry("doctor", environment: trust)
            #expect(warned.output.contains("good for 4 days"))
            // The stream from before lives on.
            #expect(stream.isRunning)
            #expect(try await ask(hub, certificates, "/v1/status")["paused"]?.bool == false)
            stream.send(SIGTERM)
            _ = try await stream.end()
        }
    }

    @Test("a pair that can't be used is said what is wrong with")
    func refuses() async throws {
        let certificates = try await Certificates()
        let folder = certificates.folder
        let (certificate, key) = try await certificates.make("hub")
        let (_, other) = try await certificates.make("other")
        try await certificates.openssl("pkey -in hub.key -aes256 -passout pass:x -out locked.key")
        try await certificates.openssl("ec -in hub.key -aes256 -passout pass:x -out old.key")
        let rubbish = try folder.write("rubbish\n", to: "rubbish")
        let broken = try folder.write(
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", to: "broken")
        let cases: [([String], String)] = [
            (["--tls-cert", certificate], "key is missing"),
            (["--tls-key", key], "cert is missing"),
            (["--tls-cert", "/no/such", "--tls-key", key], "tls.cert: cannot read /no/such"),
            (["--tls-cert", certificate, "--tls-key", folder.path], "tls.key: cannot read"),
            (["--tls-cert", certificate, "--tls-key", other], "does not belong to the first certificate"),
            (["--tls-cert", certificate, "--tls-key", "\(folder.path)/locked.key"], "is encrypted"),
            (["--tls-cert", certificate, "--tls-key", "\(folder.path)/old.key"], "is encrypted"),
            (["--tls-cert", key, "--tls-key", certificate], "are the two files exchanged?"),
            (["--tls-cert", rubbish, "--tls-key", key], "holds no PEM certificate"),
            (["--tls-cert", certificate, "--tls-key", rubbish], "holds no PEM key"),
            (["--tls-cert", broken, "--tls-key", key], "is the file whole?"),
        ]
        for (arguments, words) in cases {
            let data = "\(folder.path)/data"
            let result = try await CommandResult.of(["serve", "--data", data, "--port", "0"] + arguments, in: folder)
            #expect(result.code == 2 && result.errors.contains(words), "\(result.errors)")
            #expect(!result.errors.contains("BEGIN EC PRIVATE"))
            #expect(!FileManager.default.fileExists(atPath: data))
        }
    }

    @Test("doctor warns of a certificate that ends within 14 days, and fails on one that has")
    func expiry() throws {
        let now = Timestamp(seconds: 1_800_000_000)
        func finding(_ end: Timestamp, error: String? = nil) -> Finding? {
            HubCheck.tls(["tls": ["not_after": .string(end.description), "error": .optional(error)]], now: now)
        }
        #expect(finding(now + .seconds(15 * 86400))?.grade == .ok)
        #expect(finding(now + .seconds(13 * 86400))?.grade == .warn)
        #expect(finding(now - .seconds(1))?.grade == .fail)
        #expect(finding(now + .seconds(90 * 86400), error: "no such file")?.grade == .fail)
        #expect(HubCheck.tls(["paused": false], now: now) == nil)
    }
}
