import BelfryCore
import BelfryEngine
import BelfryStore
import Testing

@testable import BelfryServer

@Suite("WebSocket", .timeLimit(.minutes(3)))
struct WebSocketTests {
    @Test("the handshake is answered with the key's proof, and with the sub-protocol if it is offered")
    func handshake() async throws {
        #expect(WebSocketPlan.accept(key: WebSocketClient.key) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        try await HubRig.run { rig in
            let plain = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            #expect(plain.raw.text.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
            #expect(!plain.raw.text.contains("sec-websocket-protocol"))
            await plain.close()
            let offered = try await WebSocketClient.connect(
                port: rig.port, token: rig.viewer, headers: "Sec-WebSocket-Protocol: chat, belfry.v1\r\n"
            )
            #expect(offered.raw.text.contains("sec-websocket-protocol: belfry.v1\r\n"))
            await offered.close()
        }
    }

    @Test("a subscriber without a position gets the state so far, the answer, and what comes")
    func subscribes() async throws {
        try await HubRig.run { rig in
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await client.call("subscribe", #"{"topics":["runs","run/*"]}"#, id: 7)
            let (answer, frames) = try await client.answer()
            #expect(answer["id"]?.number?.int64 == 7)
            #expect(answer[path: ["result", "topics"]]?.array?.compactMap(\.string) == ["runs", "run/*"])
            #expect(frames.map { $0["type"]?.string } == ["SNAPSHOT"])
            #expect(frames.first?["position"]?.number == answer[path: ["result", "position"]]?.number)
            let run = try await rig.startRun()
            var text = ""
            var types: [String] = []
            while types.last != "RUN_FINISHED" {
                let frame = try await client.next().json["params"] ?? .null
                #expect(frame["run"]?.string == run)
                types.append(frame["type"]?.string ?? "")
                text += frame[path: ["data", "delta"]]?.string ?? ""
            }
            #expect(types.first == "RUN_STATE")
            #expect(text == "reading 1 has come in and is fine")
            await client.close()
        }
    }

    @Test("frames stand in notifications byte for byte as in an event stream")
    func sameBytesAsStream() async throws {
        try await HubRig.run { rig in
            let run = try await rig.startRun()
            try await rig.waitForEnd(of: run)
            let stream = try await rig.open("/v1/stream?topic=run/\(run)&after=0")
            let text = try await stream.read(until: "RUN_FINISHED")
            let blocks = text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await client.call("subscribe", #"{"topics":["run/\#(run)"],"after":0}"#)
            _ = try await client.answer()
            for block in blocks {
                let expected = #"{"jsonrpc":"2.0","method":"frame","params":\#(block)}"#
                #expect(try await client.next().text == expected)
            }
            #expect(blocks.count > 5)
            await client.close()
            await stream.close()
        }
    }

    @Test("topics that are added bring their history, and no frame comes twice")
    func addsTopics() async throws {
        try await HubRig.run { rig in
            let run = try await rig.startRun()
            try await rig.waitForEnd(of: run)
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await client.call("subscribe", #"{"topics":["runs"],"after":0}"#)
            try await client.call("ping", id: 2)
            try await client.call("subscribe", #"{"topics":["run/\#(run)"],"after":0}"#, id: 3)
            let end = try await rig.hub.publish(custom: "end", data: .null, by: .hub)
            try await client.call("subscribe", #"{"topics":["custom/end"],"after":0}"#, id: 4)
            var positions: [Int64] = []
            while positions.last != end {
                let json = try await client.next().json
                if let position = json[path: ["params", "position"]]?.number?.int64 { positions.append(position) }
            }
            let log = try await rig.hub.frames(
                after: 0, through: nil, topics: [.runs, .everyRun, .custom("end")], max: 512)
            #expect(positions.sorted() == log.frames.map(\.position))
            await client.close()
        }
    }

    @Test("after unsubscribe nothing of the topic comes")
    func unsubscribes() async throws {
        try await HubRig.run { rig in
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await client.call("subscribe", #"{"topics":["custom/a","custom/b"],"after":0}"#)
            _ = try await client.answer()
            try await client.call("unsubscribe", #"{"topics":["custom/a"]}"#)
            let (answer, _) = try await client.answer()
            #expect(answer[path: ["result", "topics"]]?.array?.compactMap(\.string) == ["custom/b"])
            _ = try await rig.hub.publish(custom: "a", data: .null, by: .hub)
            let position = try await rig.hub.publish(custom: "b", data: .null, by: .hub)
            #expect(try await client.next().json[path: ["params", "position"]]?.number?.int64 == position)
            await client.close()
        }
    }

    @Test("a close is answered with its code, and the connection ends")
    func answersClose() async throws {
        try await HubRig.run { rig in
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await client.send(frame: 0x88, [0x0F, 0xA0])
            #expect(try await client.next() == WebSocketClient.Frame(first: 0x88, payload: [0x0F, 0xA0]))
            #expect(await client.ends())
            await client.close()
        }
    }

    @Test("a handshake and frames may be cut at every byte")
    func cutAnywhere() async throws {
        try await HubRig.run { rig in
            let bytes =
                Array(WebSocketClient.handshake(token: rig.viewer).utf8)
                + WebSocketClient.text(#"{"jsonrpc":"2.0","id":"ä","method":"ping"}"#)
                + WebSocketClient.frame(0x89, [1, 2, 3])
            for cut in stride(from: 1, to: bytes.count, by: 7) {
                let client = WebSocketClient(try await RawClient.connect(port: rig.port))
                try await client.raw.send(Array(bytes[..<cut]))
                try await client.raw.send(Array(bytes[cut...]))
                try await client.readHead()
                let frames = [try await client.next(), try await client.next()]
                #expect(frames.contains { $0.isText && $0.json["id"]?.string == "ä" })
                #expect(frames.contains(WebSocketClient.Frame(first: 0x8A, payload: [1, 2, 3])))
                await client.close()
            }
        }
    }
}
