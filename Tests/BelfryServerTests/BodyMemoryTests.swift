import BelfryCore
import Testing

@testable import BelfryServer

/// What bodies may take of the memory before anybody has shown who they are.
@Suite("memory of bodies", .timeLimit(.minutes(3)))
struct BodyMemoryTests {
    private func post(_ length: Int) -> String {
        "POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(length)\r\n\r\n"
    }

    @Test("unfinished bodies of many connections are bounded together, and make room when they end")
    func bounded() async throws {
        let bodies = RequestBodies(bytesMax: 1000)
        try await EdgeRig.run(configure: { $0.bodies = bodies }) { rig in
            let first = try await rig.connect()
            try await first.send(post(1000) + String(repeating: "x", count: 800))
            try await reach(800, bodies)
            let refused = try await rig.exchange(post(300) + String(repeating: "x", count: 300))
            #expect(refused.hasPrefix("HTTP/1.1 503 "))
            #expect(refused.contains("\"code\":\"overloaded\""))
            #expect(refused.contains("retry-after: 1\r\n"))
            #expect(bodies.bytes == 800)

            try await first.send(String(repeating: "x", count: 200))
            #expect(await first.readToEnd().hasPrefix("HTTP/1.1 200 "))
            #expect(bodies.bytes == 0)

            let second = try await rig.connect()
            try await second.send(post(1000) + String(repeating: "x", count: 900))
            try await reach(900, bodies)
            await second.close()
            try await reach(0, bodies)
            let taken = try await rig.exchange(post(300) + String(repeating: "x", count: 300))
            #expect(taken.hasPrefix("HTTP/1.1 200 "))
        }
    }

    private func reach(_ bytes: Int, _ bodies: RequestBodies) async throws {
        while bodies.bytes != bytes { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test("without a valid token a large body is refused at its head as unauthorized, without a source as unknown")
    func anonymous() async throws {
        try await HubRig.run { rig in
            let length = Limits.anonymousBodyBytesMax + 1
            for (path, token, status, code) in [
                ("/v1/documents", nil, 401, "unauthorized"), ("/v1/documents", "blf_wrong", 401, "unauthorized"),
                ("/v1/rules/test", nil, 401, "unauthorized"), ("/hooks/unheard-of", nil, 404, "unknown_source"),
            ] as [(String, String?, Int, String)] {
                // Not one byte of the body is sent: the answer can't be waiting for it.
                let client = try await RawClient.connect(port: rig.port)
                let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
                try await client.send(
                    "POST \(path) HTTP/1.1\r\nHost: x\r\n\(authorization)Content-Length: \(length)\r\n\r\n"
                )
                let text = try await client.read(until: "\"code\":\"\(code)\"")
                #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(path)")
                await client.close()
            }
            let known = try await rig.send(
                "POST", "/v1/rules/test", token: rig.viewer, body: String(repeating: " ", count: length)
            )
            #expect(known.json["code"]?.string == "invalid_json")
            let delivery = #"{"n":1,"text":""# + String(repeating: "x", count: length) + #""}"#
            #expect(try await rig.send("POST", "/hooks/plant/", body: delivery).status == 202)
        }
    }

    @Test("a chunked body of nobody known ends at the same bound")
    func chunked() async throws {
        try await HubRig.run { rig in
            let client = try await RawClient.connect(port: rig.port)
            try await client.send("POST /v1/documents HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<2 { try await client.send("8001\r\n" + String(repeating: "x", count: 0x8001) + "\r\n") }
            let text = try await client.read(until: "\"code\":\"unauthorized\"")
            #expect(text.hasPrefix("HTTP/1.1 401 "))
            await client.close()
        }
    }
}
