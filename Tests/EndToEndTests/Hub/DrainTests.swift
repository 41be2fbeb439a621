import BelfryCore
import Foundation
import Testing

/// SIGTERM to the real binary, while many watch it.
@Suite(.timeLimit(.minutes(3))) struct DrainTests {
    /// Unread, this is more than the kernel takes for a connection whose client takes next to nothing.
    private static let stallBytes = 12 * 1024 * 1024

    @Test("200 event streams and 50 WebSockets are told when to come back, 5 that take nothing hold up nobody")
    func drains() async throws {
        try await withHub { hub in
            let client = try hub.client
            let stalled = try await stall(hub)
            var streams: [RawStream] = []
            var sockets: [RawWebSocket] = []
            for _ in 0..<200 { streams.append(try await client.stream("/v1/stream?topic=runs&after=0")) }
            for _ in 0..<50 { sockets.append(try await RawWebSocket(port: hub.port, token: try hub.adminToken)) }
            let begin = ContinuousClock.now
            hub.process.send(SIGTERM)
            var delays: [Int] = []
            for stream in streams {
                let last = try #require(try await stream.blocks().last)
                #expect(last.frame["type"]?.string == "CLOSING" && last.id == nil)
                delays.append(try delay(last.frame))
                // A stream that had nothing to say has the first block's line before it; the last counts.
                #expect(last.lines.last { $0.hasPrefix("retry:") } == "retry: \(delays.last ?? 0)")
            }
            for socket in sockets {
                delays.append(
                    try delay(JSONValue(parsing: try #require(try await socket.frames(through: "CLOSING").last))))
                while try await socket.next() != nil {}
                #expect(socket.closeCode == 1001)
                try socket.send(0x88, [0x03, 0xE9])
            }
            #expect(try await hub.process.end() == 0)
            #expect(begin.duration(to: .now) < Limits.drainTimeout)
            #expect(!hub.log.contains("draining took too long"))
            #expect(delays.allSatisfy { (1000...2000).contains($0) })
            // A tenth of the time has about a tenth of them.
            for start in stride(from: 1000, to: 2000, by: 100) {
                #expect((15...35).contains(delays.count { (start..<start + 100).contains($0) }))
            }
            for socket in stalled { socket.close() }
        }
    }

    private func delay(_ frame: JSONValue) throws -> Int {
        try #require(frame[path: ["data", "retry_ms"]]?.number?.int64.map { Int($0) })
    }

    /// Three event streams and two WebSockets that ask for much and read nothing.
    private func stall(_ hub: HubProcess) async throws -> [RawSocket] {
        let frame = JSONValue.string(String(repeating: "x", count: 60_000))
        for _ in 0..<(Self.stallBytes / 60_000) {
            #expect(try await hub.client.request("POST", "/v1/topics/custom/big", json: frame).status < 300)
        }
        var sockets: [RawSocket] = []
        let authorization = "Host: 127.0.0.1\r\nAuthorization: Bearer \(try hub.adminToken)\r\n"
        for index in 0..<5 {
            let socket = try RawSocket(port: hub.port, receiveBytes: 4096)
            if index < 3 {
                try socket.write(Array("GET /v1/stream?topic=custom/big&after=0 HTTP/1.1\r\n\(authorization)\r\n".utf8))
            } else {
                let call = Array(
                    #"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"topics":["custom/big"],"after":0}}"#.utf8)
                let handshake =
                    "GET /v1/ws HTTP/1.1\r\n\(authorization)Upgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
                try socket.write(Array(handshake.utf8) + [0x81, 0x80 | UInt8(call.count), 0, 0, 0, 0] + call)
            }
            sockets.append(socket)
        }
        _ = try await eventually("all five to be streams") {
            let metrics = try await hub.client.request("GET", "/metrics").text
            return metrics.contains("belfry_streams_open 5") ? true : nil
        }
        return sockets
    }

    @Test("while runs end, /readyz says 503; then nothing listens")
    func readiness() async throws {
        let goOn = ScriptedProvider.Turnstile()
        let provider = try ScriptedProvider([.text("half "), .wait(goOn), .text("whole")])
        defer { provider.stop() }
        try await withHub(documents: Documents.asking(provider)) { hub in
            let run = try #require(try await hub.deliver(7, id: "d").json["runs"]?.array?.first?.string)
            let stream = try await hub.client.stream("/v1/runs/\(run)/stream?after=0")
            while try await stream.next()?.frame["type"]?.string != "TEXT_MESSAGE_CONTENT" {}
            hub.process.send(SIGTERM)
            _ = try await eventually("/readyz to say no") {
                try await hub.client.request("GET", "/readyz").status == 503 ? true : nil
            }
            goOn.letPass()
            // The stream tells the run's end first.
            let types = try await stream.blocks().compactMap { $0.frame["type"]?.string }
            #expect(types.contains("RUN_FINISHED"))
            #expect(try await hub.process.end() == 0)
            await #expect(throws: Timeout.self) { try await hub.client.request("GET", "/readyz") }
        }
    }
}
