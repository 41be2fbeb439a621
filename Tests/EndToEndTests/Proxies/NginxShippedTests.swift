import BelfryCore
import Foundation
import Testing

/// What ops/nginx/belfry.conf adds: WebSockets, TLS, who asked, and a log without secrets.
@Suite(.enabled(if: Nginx.isInstalled, "nginx is not installed"), .timeLimit(.minutes(3))) struct NginxShippedTests {
    @Test("alerts reach a listener, through a restart of the hub, each once")
    func webSocket() async throws {
        let port = try RawSocket.freePort()
        try await HubProcess.start(documents: Documents.notifying, arguments: ["--port", "\(port)"]).use { hub in
            let nginx = try await Nginx.shipped(hub: hub.port)
            defer { nginx.stop() }
            let listening = try Listening.start(nginx.url, token: try hub.adminToken, ["--after", "0", "-o", "json"])
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

    @Test("a quiet WebSocket outlives nginx's read timeout: the hub's pings are in time")
    func idle() async throws {
        try await withHub(documents: Documents.notifying) { hub in
            // A third of the shipped timeout, so that the test need not wait a minute.
            let nginx = try await Nginx.shipped(
                hub: hub.port, changes: [("proxy_read_timeout 60s;", "proxy_read_timeout 20s;")])
            defer { nginx.stop() }
            let listening = try Listening.start(nginx.url, token: try hub.adminToken, ["--after", "0"])
            let stream = try await nginx.client(try hub.adminToken).stream("/v1/stream?topic=alerts")
            try await Task.sleep(for: .seconds(24))
            _ = try await hub.deliver(1, id: "late")
            _ = try await listening.lines(1)
            #expect(listening.process.errors == "")
            let blocks = try await stream.blocks { $0.frame["type"]?.string == "NOTICE" }
            #expect(blocks.last?.frame["type"]?.string == "NOTICE")
            #expect(try await listening.terminate() == 0)
        }
    }

    @Test("who asks through nginx is not taken for this machine, and no query string is logged")
    func forwarded() async throws {
        let documents = "source: open\npreset: none\n"
        try await withHub(documents: documents) { hub in
            let nginx = try await Nginx.shipped(hub: hub.port)
            defer { nginx.stop() }
            let near = try await RawClient(port: hub.port, token: nil).request("POST", "/hooks/open", json: ["a": 1])
            #expect(near.status == 202)
            let far = try await nginx.client(nil).request("POST", "/hooks/open?code=s3cret", json: ["a": 1])
            #expect([401, 403].contains(far.status))
            let log = try await eventually("the access log") { nginx.accessLog.isEmpty ? nil : nginx.accessLog }
            #expect(log.contains(#""POST /hooks/open" \#(far.status)"#))
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
            let nginx = try await Nginx.shipped(
                hub: hub.port,
                changes: [
                    (
                        "server_name hub.example.com;",
                        "listen 127.0.0.1:\(port) ssl http2; ssl_certificate \(certificate); ssl_certificate_key \(key);"
                    )
                ])
            defer { nginx.stop() }
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
