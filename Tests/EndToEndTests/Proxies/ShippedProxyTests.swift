import BelfryCore
import Foundation
import Testing

/// What the configurations below ops/ add: WebSockets, TLS, who asked, and a log without secrets.
@Suite(.timeLimit(.minutes(3))) struct ShippedProxyTests {
    @Test(
        "alerts reach a listener, through a restart of the hub, each once", arguments: ReverseProxy.Kind.shipped)
    func webSocket(kind: ReverseProxy.Kind) async throws {
        let port = try RawSocket.freePort()
        try await HubProcess.start(documents: Documents.notifying, arguments: ["--port", "\(port)"]).use { hub in
            let proxy = try await ReverseProxy.start(kind, hub: hub.port)
            defer { proxy.stop() }
            let listening = try Listening.start(proxy.url, token: try hub.adminToken, ["--after", "0", "-o", "json"])
            _ = try await hub.deliver(1, id: "a")
            _ = try await listening.lines(1)
            #expect(try await hub.terminate() == 0)
            try await hub.restart()
            _ = try await hub.deliver(2, id: "b")
            let lines = try await listening.lines(2)
            let events = lines.compactMap { (try? JSONValue(parsing: $0))?["data"]?["event"]?.string }
            #expect(Set(events).count == 2)
            #expect(try await listening.terminate() == 0)
            #expect(listening.lines.count == 2)
            #expect(listening.process.errors.contains("the hub stops or restarts"))
        }
    }

    /// A third of the shipped timeouts, so that the test need not wait a minute. Caddy has none.
    private static let shortTimeouts: [ReverseProxy.Kind: [(String, String)]] = [
        .nginx: [("proxy_read_timeout 60s;", "proxy_read_timeout 20s;")],
        .haproxy: ["client", "server", "tunnel"].map { ("timeout \($0) 60s", "timeout \($0) 20s") },
    ]

    @Test(
        "a quiet stream and a quiet WebSocket outlive a proxy's timeouts: the hub's signs of life are in time",
        arguments: ReverseProxy.Kind.shipped)
    func idle(kind: ReverseProxy.Kind) async throws {
        try await withHub(documents: Documents.notifying) { hub in
            let proxy = try await ReverseProxy.start(kind, hub: hub.port, changes: Self.shortTimeouts[kind] ?? [])
            defer { proxy.stop() }
            let listening = try Listening.start(proxy.url, token: try hub.adminToken, ["--after", "0"])
            let stream = try await proxy.client(try hub.adminToken).stream("/v1/stream?topic=alerts")
            try await Task.sleep(for: .seconds(24))
            _ = try await hub.deliver(1, id: "late")
            _ = try await listening.lines(1)
            #expect(listening.process.errors == "")
            let blocks = try await stream.blocks { $0.frame["type"]?.string == "NOTICE" }
            #expect(blocks.last?.frame["type"]?.string == "NOTICE")
            #expect(try await listening.terminate() == 0)
        }
    }

    @Test(
        "who asks through a proxy is not taken for this machine, and no query string is logged",
        arguments: ReverseProxy.Kind.shipped)
    func forwarded(kind: ReverseProxy.Kind) async throws {
        let documents = "source: open\npreset: none\n"
        try await withHub(documents: documents) { hub in
            let proxy = try await ReverseProxy.start(kind, hub: hub.port)
            defer { proxy.stop() }
            let near = try await RawClient(port: hub.port, token: nil).request("POST", "/hooks/open", json: ["a": 1])
            #expect(near.status == 202)
            let far = try await proxy.client(nil).request("POST", "/hooks/open?code=s3cret", json: ["a": 1])
            #expect([401, 403].contains(far.status))
            let log = try await eventually("the access log") {
                proxy.accessLog.contains("/hooks/open") ? proxy.accessLog : nil
            }
            #expect(log.contains("POST") && log.contains("\(far.status)"))
            #expect(!log.contains("s3cret"))
        }
    }

    @Test(
        "over TLS, with the certificate checked",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "openssl is not installed"))
    func tls() async throws {
        let folder = try TemporaryFolder()
        let (key, certificate) = ("\(folder.path)/key.pem", "\(folder.path)/certificate.pem")
        let made = try await Shell.run(
            "openssl req -x509 -newkey rsa:2048 -nodes -keyout \(key) -out \(certificate) -days 2 -subj /CN=localhost "
                + "-addext subjectAltName=DNS:localhost,IP:127.0.0.1")
        #expect(made == 0)
        try await withHub(documents: Documents.notifying) { hub in
            let port = try RawSocket.freePort()
            let proxy = try await ReverseProxy.start(
                .nginx, hub: hub.port,
                changes: [
                    (
                        "server_name hub.example.com;",
                        "listen 127.0.0.1:\(port) ssl http2; ssl_certificate \(certificate); ssl_certificate_key \(key);"
                    )
                ])
            defer { proxy.stop() }
            let token = try hub.adminToken
            _ = try await hub.deliver(1, id: "a")
            for host in ["localhost", "127.0.0.1"] {
                let listening = try Listening.start(
                    "https://\(host):\(port)", token: token, ["--after", "0"],
                    environment: ["SSL_CERT_FILE": certificate])
                _ = try await listening.lines(1)
                #expect(try await listening.terminate() == 0)
            }
            let doubtful = try Listening.start("https://localhost:\(port)", token: token)
            #expect(try await doubtful.process.end() == 3)
            #expect(doubtful.process.errors.contains("no TLS connection to https://localhost:\(port)"))
        }
    }
}
