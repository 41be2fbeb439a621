import BelfryCore
import Testing

@testable import BelfryServer

/// Pages of other origins: those that the configuration names, and no others.
@Suite("cross-origin requests", .timeLimit(.minutes(3)))
struct CrossOriginTests {
    private static func preflight(_ origin: String) -> String {
        "Origin: \(origin)\r\nAccess-Control-Request-Method: PATCH\r\n"
            + "Access-Control-Request-Headers: authorization,content-type\r\n"
    }

    @Test("a listed origin is let ask and read; of others nothing is said")
    func listed() async throws {
        let listed = try #require(WebOrigin("https://dash.example"))
        try await HubRig.run(configure: { $0.allowedOrigins = [listed] }) { rig in
            let asked = try await rig.send(
                "OPTIONS", "/v1/streams/tab", headers: Self.preflight("https://dash.example"))
            #expect(asked.status == 204)
            for header in [
                "access-control-allow-origin: https://dash.example", "access-control-allow-credentials: true",
                "access-control-allow-methods: GET, POST, PUT, PATCH, DELETE", "vary: origin",
                "access-control-max-age: 600",
            ] {
                #expect(asked.head.contains("\r\n\(header)"), "\(header)")
            }
            for name in ["authorization", "last-event-id", "content-type", "idempotency-key", "if-match"] {
                #expect(asked.head.contains(name), "\(name)")
            }
            for (origin, path) in [
                ("https://evil.example", "/v1/runs"), ("http://dash.example", "/v1/runs"), ("null", "/v1/runs"),
                ("https://dash.example", "/hooks/plant"), ("https://dash.example", "/"),
            ] {
                let refused = try await rig.send("OPTIONS", path, headers: Self.preflight(origin))
                #expect(refused.status == 405, "\(origin) \(path)")
                #expect(!refused.head.contains("access-control"), "\(origin) \(path)")
            }
            let read = try await rig.send(
                "GET", "/v1/runs", token: rig.viewer, headers: "Origin: https://dash.example\r\n")
            #expect(read.status == 200)
            #expect(read.head.contains("access-control-allow-origin: https://dash.example"))
            #expect(read.head.contains("access-control-expose-headers: etag, retry-after"))
            let error = try await rig.send("GET", "/v1/runs", headers: "Origin: https://dash.example\r\n")
            #expect(error.status == 401)
            #expect(error.head.contains("access-control-allow-origin: https://dash.example"))
            let other = try await rig.send(
                "GET", "/v1/runs", token: rig.viewer, headers: "Origin: https://evil.example\r\n")
            #expect(other.status == 200)
            #expect(!other.head.contains("access-control"))
            #expect(other.head.contains("vary: origin"))
        }
    }

    @Test("by default there are none")
    func none() async throws {
        try await HubRig.run { rig in
            let asked = try await rig.send("OPTIONS", "/v1/runs", headers: Self.preflight("http://x"))
            #expect(asked.status == 405)
            let read = try await rig.send("GET", "/v1/runs", token: rig.viewer, headers: "Origin: http://x\r\n")
            #expect(read.status == 200)
            #expect(!read.head.contains("access-control") && !read.head.contains("vary"))
        }
    }
}
