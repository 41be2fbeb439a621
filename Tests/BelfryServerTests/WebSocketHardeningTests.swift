import BelfryCore
import BelfryEngine
import BelfryStore
import NIOCore
import ServiceLifecycle
import Testing

@testable import BelfryServer

/// Each test is named after the attack or the trap.
@Suite("WebSocket hardening", .timeLimit(.minutes(3)))
struct WebSocketHardeningTests {
    /// Connects, sends these bytes, and gives the code that the server closes with.
    private func closeCode(_ rig: HubRig, _ bytes: [UInt8]) async throws -> Int? {
        let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
        try await client.raw.send(bytes)
        let code = try await client.closeCode()
        #expect(await client.ends())
        await client.close()
        return code
    }

    @Test("handshakes that are refused are answered")
    func refusedHandshakes() async throws {
        try await HubRig.run { rig in
            let publisher = try await rig.hub.createToken(
                name: "p", role: .publisher, scopes: ["custom/*"], expires: nil, by: .hub)
            let full = WebSocketClient.handshake(token: rig.viewer)
            let cases: [(String, String)] = [
                (WebSocketClient.handshake(), "401 "),
                (WebSocketClient.handshake(token: "belfry_wrong"), "401 "),
                (WebSocketClient.handshake(token: publisher.secret.text), "403 "),
                (WebSocketClient.handshake(token: rig.viewer, headers: "Origin: https://evil.example\r\n"), "403 "),
                (WebSocketClient.handshake(token: rig.viewer, headers: "Origin: null\r\n"), "403 "),
                (WebSocketClient.handshake(token: rig.viewer, headers: "Origin: http://x\r\n"), "101 "),
                (full.replacing("Version: 13", with: "Version: 12"), "426 "),
                (full.replacing("Upgrade: websocket", with: "Upgrade: h2c"), "426 "),
                (full.replacing("Upgrade: websocket\r\n", with: ""), "426 "),
                (full.replacing("GET /v1/ws", with: "GET /v1/runs"), "200 "),
                (full.replacing("GET /v1/ws", with: "GET /v1/nothing"), "404 "),
                (full.replacing("GET /v1/ws", with: "POST /v1/ws"), "405 "),
                (full.replacing(WebSocketClient.key, with: "short"), "400 "),
                (full.replacing("HTTP/1.1", with: "HTTP/1.0"), "426 "),
            ]
            for (request, status) in cases {
                let client = try await RawClient.connect(port: rig.port)
                try await client.send(request)
                let head = try await client.read(until: "\r\n\r\n")
                #expect(head.hasPrefix("HTTP/1.1 \(status)"), "\(request)")
                if status == "426 " {
                    #expect(head.contains("upgrade: websocket\r\n") && head.contains("sec-websocket-version: 13\r\n"))
                }
                await client.close()
            }
        }
    }

    @Test("broken protocol, broken text and too much are closed with their codes")
    func closeCodes() async throws {
        try await HubRig.run { rig in
            let split = WebSocketClient.frame(0x01, [0x22, 0xE2]) + WebSocketClient.frame(0x00, [0x28])
            let cases: [([UInt8], Int)] = [
                ([0x81, 0x02, 0x7B, 0x7D], 1002), (WebSocketClient.frame(0xC1, [0x7B]), 1002),
                (WebSocketClient.frame(0x82, [1]), 1003), (split, 1007),
                ([0x81, 0xFF, 0, 0, 0, 0, 0x06, 0x40, 0, 0], 1009), (WebSocketClient.frame(0x88, [0x03, 0xED]), 1002),
            ]
            for (bytes, expected) in cases {
                let code = try await closeCode(rig, bytes)
                #expect(code == expected)
            }
        }
    }

    @Test("a 100 MB message is refused while it is still being sent")
    func largeMessage() async throws {
        try await HubRig.run { rig in
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await client.raw.send([0x81, 0xFF, 0, 0, 0, 0, 0x06, 0x40, 0, 0, 1, 2, 3, 4])
            // What follows is dropped; a reset would take the code from us.
            try? await client.raw.send([UInt8](repeating: 0x61, count: 2_000_000))
            #expect(try await client.closeCode() == 1009)
            await client.close()
        }
    }

    @Test("fragments for ever end at the bound")
    func fragmentsForEver() async throws {
        try await HubRig.run { rig in
            let empty = WebSocketClient.frame(0x00, [])
            let bytes = WebSocketClient.frame(0x01, []) + Array(repeating: empty, count: 17_000).joined()
            let code = try await closeCode(rig, bytes)
            #expect(code == 1009)
        }
    }

    @Test("10,000 pings whose pongs nobody reads are answered when they are read, and wait as bytes until then")
    func pingFlood() async throws {
        try await HubRig.run { rig in
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await client.raw.pauseReading()
            let ping = WebSocketClient.frame(0x89, [UInt8](repeating: 7, count: 125))
            let sent = client.raw.channel.eventLoop.makePromise(of: Void.self)
            let pings = ByteBuffer(bytes: Array(repeating: ping, count: 10_000).joined())
            client.raw.channel.writeAndFlush(pings, promise: sent)
            try await client.raw.resumeReading()
            try await sent.futureResult.get()
            for _ in 0..<10_000 {
                let pong = try await client.next()
                guard pong.first == 0x8A, pong.payload.count == 125 else { throw RawClient.Ended(received: "no pong") }
            }
            await client.close()
        }
    }

    @Test("a message that is no call is answered, and the connection lives on")
    func answersNonsense() async throws {
        try await HubRig.run { rig in
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            for (text, code) in [
                ("{", -32700), ("[]", -32600), (#"{"jsonrpc":"2.0","id":1,"method":"x"}"#, -32601),
                (#"{"jsonrpc":"2.0","id":1,"method":"subscribe"}"#, -32602),
            ] as [(String, Int64)] {
                try await client.send(text)
                #expect(try await client.answer().answer[path: ["error", "code"]] == .int(code))
            }
            // Notifications are done and not answered, also those that cannot be done.
            try await client.send(#"[{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","method":"ping"}]"#)
            try await client.send(
                #"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"ping"},{"jsonrpc":"2.0","id":"b","method":"y"}]"#
            )
            let answers = try await client.answer().answer.array ?? []
            #expect(Set(answers.compactMap { $0["id"]?.text }) == ["1", #""b""#])
            await client.close()
        }
    }

    @Test("a viewer stops no run, and a scoped token sees its topics alone")
    func mayNot() async throws {
        try await HubRig.run { rig in
            let viewer = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            let run = RunID(at: Timestamp(milliseconds: 1), bits: (1, 2))
            try await viewer.call("run.stop", #"{"run":"\#(run)"}"#)
            #expect(try await viewer.answer().answer[path: ["error", "data", "status"]] == .int(403))
            await viewer.close()
            let scoped = try await rig.hub.createToken(
                name: "s", role: .operator, scopes: ["custom/a"], expires: nil, by: .hub)
            let client = try await WebSocketClient.connect(port: rig.port, token: scoped.secret.text)
            for params in [#"{"topics":["custom/a","custom/b"]}"#, #"{"topics":["run/*"],"after":0}"#] {
                try await client.call("subscribe", params)
                #expect(try await client.answer().answer[path: ["error", "data", "status"]] == .int(403))
            }
            try await client.call("run.stop", #"{"run":"\#(run)"}"#)
            #expect(try await client.answer().answer[path: ["error", "data", "status"]] == .int(403))
            try await client.call("subscribe", #"{"topics":["custom/a"],"after":0}"#)
            #expect(try await client.answer().answer[path: ["result", "topics"]]?.array?.count == 1)
            await client.close()
        }
    }

    @Test("a revoked token's connection is closed with 1008")
    func revoked() async throws {
        try await HubRig.run { rig in
            let token = try await rig.hub.createToken(name: "t", role: .viewer, scopes: [], expires: nil, by: .hub)
            let client = try await WebSocketClient.connect(port: rig.port, token: token.secret.text)
            try await rig.hub.revokeToken(token.record.id, by: .hub)
            #expect(try await client.closeCode() == 1008)
            try await client.send(frame: 0x88, [0x03, 0xF0])
            #expect(await client.ends())
            await client.close()
        }
    }

    @Test("a connection that its client half-closes without a close frame ends")
    func halfClose() async throws {
        try await HubRig.run { rig in
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await client.raw.channel.close(mode: .output)
            #expect(await client.ends())
            await client.close()
        }
    }

    @Test("a slow reader gets every frame once")
    func slowReader() async throws {
        try await HubRig.run { rig in
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await client.call("subscribe", #"{"topics":["custom/c"],"after":0}"#)
            _ = try await client.answer()
            try await client.raw.pauseReading()
            let data = RawJSON(.string(String(repeating: "x", count: 60_000)))
            // Side by side: on a busy disk 200 commits take longer than a reader may stall.
            let expected = try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<200 { group.addTask { try await rig.hub.publish(custom: "c", data: data, by: .hub) } }
                return try await group.reduce(into: []) { $0.append($1) }.sorted()
            }
            try await client.raw.resumeReading()
            for position in expected {
                #expect(try await client.next().json[path: ["params", "position"]] == .int(position))
            }
            await client.close()
        }
    }

    @Test("the endpoint for tests of the protocol is not there unless it is asked for")
    func echo() async throws {
        let handshake = WebSocketClient.handshake().replacing("/v1/ws", with: "/v1/echo")
        try await HubRig.run { rig in
            let client = try await RawClient.connect(port: rig.port)
            try await client.send(handshake)
            let answer = await client.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 404 ") && answer.contains("--test-echo"))
            await client.close()
        }
        try await HubRig.run(configure: { $0.testEcho = true }) { rig in
            let client = WebSocketClient(try await RawClient.connect(port: rig.port))
            try await client.raw.send(handshake)
            try await client.readHead()
            let large = [UInt8](repeating: 0x61, count: 3 * 1024 * 1024)
            try await client.send(frame: 0x82, large)
            #expect(try await client.next().payload == large)
            await client.close()
            // Nobody else's bounds are wider for it.
            let other = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try? await other.send(frame: 0x81, large)
            #expect(try await other.closeCode() == 1009)
            await other.close()
        }
    }

    @Test("a server that stops says 1001")
    func drains() async throws {
        try await HubRig.run { rig in
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await client.call("ping")
            _ = try await client.answer()
            await rig.group.triggerGracefulShutdown()
            #expect(try await client.closeCode() == 1001)
            try await client.send(frame: 0x88, [0x03, 0xE9])
            #expect(await client.ends())
            await client.close()
        }
    }
}
