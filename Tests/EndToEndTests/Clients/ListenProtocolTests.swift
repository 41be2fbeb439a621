import BelfryCore
import Foundation
import Synchronization
import Testing

/// `belfry listen` against a server that says what no well-behaved one would say, or says it oddly.
@Suite(.timeLimit(.minutes(2))) struct ListenProtocolTests {
    /// What the scripts saw.
    private final class Seen: Sendable {
        private let values = Mutex<[JSONValue]>([])
        func note(_ value: JSONValue) { values.withLock { $0.append(value) } }
        var all: [JSONValue] { values.withLock { $0 } }
    }

    private static func problem(_ status: Int, _ code: String) -> [UInt8] {
        let body = #"{"status":\#(status),"title":"No","detail":"because","code":"\#(code)"}"#
        return Array(
            "HTTP/1.1 \(status) No\r\nContent-Type: application/problem+json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                .utf8)
    }

    @Test("frames are read however they are cut: byte by byte, in fragments, or in one packet with the upgrade")
    func cuts() async throws {
        let notice = Array(ScriptedHub.notice(5, "fragment é").utf8)
        let bytes =
            ScriptedHub.frame(ScriptedHub.subscribed(1)) + ScriptedHub.frame(ScriptedHub.notice(4, "whole"))
            + ScriptedHub.frame(Array(notice[..<90]), opcode: 1, isLast: false)
            + ScriptedHub.frame([1, 2, 3], opcode: 9)
            + ScriptedHub.frame(Array(notice[90..<91]), opcode: 0, isLast: false)
            + ScriptedHub.frame(Array(notice[91...]), opcode: 0)
            + ScriptedHub.frame(ScriptedHub.notice(6, String(repeating: "long ", count: 20_000)))
        let hub = try ScriptedHub(
            { peer in
                // All at once: nothing waits for the subscription.
                try peer.write(try peer.acceptance() + bytes)
                peer.drain()
            },
            { peer in
                for byte in try peer.acceptance() + bytes[..<600] {
                    try peer.write([byte])
                    usleep(300)
                }
                try peer.write(Array(bytes[600...]))
                peer.drain()
            }
        )
        for _ in 0..<2 {
            let listening = try Listening.start(hub.url, ["--after", "0"])
            let lines = try await listening.lines(3)
            #expect(lines.map { $0.contains("whole: it is full") } == [true, false, false])
            #expect(lines[1].hasSuffix("error    fragment é: it is full"))
            #expect(lines[2].utf8.count > 100_000)
            #expect(try await listening.terminate() == 0)
            #expect(listening.process.errors == "")
        }
    }

    @Test("its frames are masked, a ping gets its pong, and the end is a close frame")
    func client() async throws {
        let seen = Seen()
        let hub = try ScriptedHub { peer in
            let head = try peer.head()
            seen.note(.array(head.map { .string($0) }))
            try peer.write(Self.problem(401, "unauthorized"))
        }
        let listening = try Listening.start(hub.url + "/base/", token: "secret-token")
        #expect(try await listening.process.end() == 4)
        let head = seen.all.first?.array?.compactMap(\.string) ?? []
        #expect(head.first == "GET /base/v1/ws HTTP/1.1")
        #expect(head.contains("Authorization: Bearer secret-token"))
        #expect(head.contains("Host: 127.0.0.1:\(hub.port)"))
        #expect(head.contains("Sec-WebSocket-Version: 13"))
        #expect(!listening.process.errors.contains("secret-token"))

        let frames = Seen()
        let next = try ScriptedHub { peer in
            _ = try peer.upgrade()
            try peer.write(ScriptedHub.frame(Array("are you there".utf8), opcode: 9))
            while true {
                let frame = try peer.frame()
                frames.note([
                    "opcode": .int(frame.opcode), "masked": .bool(frame.isMasked),
                    "payload": .array(frame.payload.map { .int($0) }),
                ])
            }
        }
        let second = try Listening.start(next.url)
        _ = try await eventually("the pong") { frames.all.first }
        #expect(try await second.terminate() == 0)
        let (pong, close) = (frames.all.first, frames.all.last)
        #expect(pong?["opcode"]?.number?.int64 == 10)
        #expect(pong?["masked"]?.bool == true)
        #expect(pong?["payload"]?.array?.compactMap { $0.number?.int64 } == "are you there".utf8.map { Int64($0) })
        #expect(close?["opcode"]?.number?.int64 == 8)
        #expect(close?["payload"]?.array?.compactMap { $0.number?.int64 } == [0x03, 0xE8])
    }

    @Test("a hub that restarts (1001) is waited for, and asked for what follows the last frame")
    func restart() async throws {
        let seen = Seen()
        let hub = try ScriptedHub(
            { peer in
                seen.note(try peer.upgrade())
                try peer.send(ScriptedHub.subscribed(3))
                try peer.send(ScriptedHub.notice(5, "before"))
                try peer.close(1001, "draining")
                _ = try peer.frame()
            },
            { peer in _ = try peer.head() },
            { peer in try peer.write(Self.problem(503, "draining")) },
            { peer in
                seen.note(try peer.upgrade())
                try peer.send(ScriptedHub.subscribed(9))
                try peer.send(ScriptedHub.notice(5, "before"))
                try peer.send(ScriptedHub.notice(6, "after"))
                peer.drain()
            }
        )
        let listening = try Listening.start(hub.url, ["--output", "json"])
        let lines = try await listening.lines(2)
        let positions = lines.compactMap { (try? JSONValue(parsing: $0))?["position"]?.number?.int64 }
        #expect(positions == [5, 6])
        #expect(seen.all.map { $0["params"]?["after"]?.number?.int64 } == [nil, 5])
        #expect(try await listening.terminate() == 0)
        #expect(listening.lines.count == 2)
        #expect(listening.process.errors == "belfry: the hub stops or restarts: draining; trying again\nbelfry: back\n")
    }

    @Test("a token that is revoked ends it with 4")
    func revoked() async throws {
        let hub = try ScriptedHub(
            { peer in
                _ = try peer.upgrade()
                try peer.send(ScriptedHub.subscribed(3))
                try peer.send(ScriptedHub.notice(5))
                try peer.close(1008, "the token was revoked")
                _ = try peer.frame()
            },
            { peer in
                _ = try peer.head()
                try peer.write(Self.problem(401, "unauthorized"))
            }
        )
        let listening = try Listening.start(hub.url)
        #expect(try await listening.process.end() == 4)
        #expect(listening.lines.count == 1)
        #expect(listening.process.errors.contains("the token was revoked"))
    }

    @Test(
        "what comes instead of an upgrade is told with its exit code",
        arguments: [
            (401, "unauthorized", 4), (403, "forbidden", 4), (503, "overloaded", 5), (426, "upgrade_required", 1),
            (404, "not_found", 1),
        ])
    func refused(status: Int, code: String, exit: Int32) async throws {
        let hub = try ScriptedHub { peer in
            _ = try peer.head()
            try peer.write(Self.problem(status, code))
        }
        let listening = try Listening.start(hub.url)
        #expect(try await listening.process.end() == exit)
        #expect(listening.process.errors.contains("because"))
    }

    @Test("a server that is no hub is told apart")
    func noHub() async throws {
        let hub = try ScriptedHub { peer in
            _ = try peer.head()
            try peer.write(Array("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n<html".utf8))
        }
        let listening = try Listening.start(hub.url)
        #expect(try await listening.process.end() == 1)
        #expect(listening.process.errors.contains("takes no WebSocket (status 404)"))
    }

    @Test("nothing at the address ends it with 3, and with --wait it waits")
    func unreachable() async throws {
        let port = try RawSocket.freePort()
        let listening = try Listening.start("http://127.0.0.1:\(port)")
        #expect(try await listening.process.end() == 3)
        #expect(listening.process.errors == "belfry: nothing listens at http://127.0.0.1:\(port)\n")
        let patient = try Listening.start("http://127.0.0.1:\(port)", ["--wait"])
        _ = try await eventually("its word") { patient.process.errors.isEmpty ? nil : true }
        #expect(patient.process.isRunning)
        #expect(try await patient.terminate() == 0)
    }

    @Test("a message that is too large, a mask, a wrong handshake: the connection is given up and tried again")
    func hostile() async throws {
        let large: [UInt8] = [0x81, 127, 0, 0, 0, 0, 0x10, 0, 0, 0]
        let endless = ScriptedHub.frame([0x20], opcode: 1, isLast: false)
        let hub = try ScriptedHub(
            { peer in
                try peer.write(try peer.acceptance() + large)
                peer.drain()
            },
            { peer in
                try peer.write(try peer.acceptance() + endless)
                while true { try peer.write(ScriptedHub.frame([0x20], opcode: 0, isLast: false)) }
            },
            { peer in
                _ = try peer.head()
                let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                try peer.write(Array((answer + "Sec-WebSocket-Accept: bm8=\r\n\r\n").utf8))
                peer.drain()
            },
            { peer in
                _ = try peer.upgrade()
                try peer.send(ScriptedHub.notice(9, "survived"))
                peer.drain()
            }
        )
        let listening = try Listening.start(hub.url, ["--after", "0"])
        #expect(try await listening.lines(1, within: .seconds(40)).first?.contains("survived") == true)
        #expect(try await listening.terminate() == 0)
    }

    @Test(
        "wrong usage ends with 2 and says what would be right",
        arguments: [
            ([], "--topic"), (["--topic", "nonsense"], "topics are run/ID"),
            (["--topic", "alerts", "--after=-1"], "0 or more"),
            (["--topic", "alerts", "--output", "xml"], "text or json"),
            (["--topic", "alerts", "--url", "ws://x"], "begins with http"),
            (["--topic", "alerts", "--exec-timeout", "0"], "1 to 86400"),
        ])
    func usage(arguments: [String], mend: String) async throws {
        let result = try await CommandResult.of(
            ["listen"] + arguments, environment: ["BELFRY_TOKEN": "t"], in: TemporaryFolder())
        #expect(result.code == 2)
        #expect(result.errors.contains(mend), "\(result.errors)")
    }
}
