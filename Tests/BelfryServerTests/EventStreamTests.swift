import BelfryCore
import BelfryEngine
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Synchronization
import Testing

@testable import BelfryServer

/// Streams over real sockets, with the bytes as they stand on the wire.
@Suite("event streams", .timeLimit(.minutes(3)))
struct EventStreamTests {
    private static let request = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"

    private static func frame(_ position: Int64, _ topic: Topic = .custom("c"), data: String = "{}") -> Frame {
        Frame(
            position: position,
            draft: DraftFrame(
                time: Timestamp(milliseconds: 0), topic: topic, type: .custom, data: RawJSON(trusted: Array(data.utf8))
            )
        )
    }

    private static func block(_ position: Int64, data: String = "{}") -> String {
        "id: \(position)\ndata: {\"position\":\(position),\"time\":\"1970-01-01T00:00:00.000Z\","
            + "\"topic\":\"custom/c\",\"type\":\"CUSTOM\",\"data\":\(data)}\n\n"
    }

    private static func stream(_ plan: StreamPlan) -> EdgeRig.Responder { { _ in .stream(plan) } }

    /// The body of a stream that was read to its end.
    private static func body(_ text: String) throws -> String {
        let start = try #require(text.firstRange(of: "\r\n\r\n")).upperBound
        return try #require(unchunked(text[start...]), "bad chunk framing: \(text.suffix(200))")
    }

    @Test("the head, the opening and a frame, byte for byte, then the farewell")
    func exactBytes() async throws {
        let plan = StreamPlan(topics: [.custom("c")], after: 0)
        try await EdgeRig.run(respond: Self.stream(plan)) { rig in
            let client = try await rig.connect()
            try await client.send(Self.request)
            try await client.read(until: "retry: 2000\n\r\n")
            rig.fanout.publish([Self.frame(7)])
            try await client.read(until: Self.block(7))
            await rig.group.triggerGracefulShutdown()
            let text = await client.readToEnd()
            let head = try #require(text.firstRange(of: "\r\n\r\n"))
            #expect(
                text[..<head.lowerBound] == "HTTP/1.1 200 OK\r\ndate: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
                    + "content-type: text/event-stream\r\ncache-control: no-store\r\nx-accel-buffering: no\r\n"
                    + "connection: close\r\ntransfer-encoding: chunked"
            )
            let retry = try #require(text.firstMatch(of: #/"retry_ms":(\d+)}/#)).1
            let closing =
                "retry: \(retry)\n"
                + #"data: {"position":7,"time":"2023-11-14T22:13:20.000Z","topic":"alerts","type":"CLOSING","#
                + #""data":{"reason":"server_shutdown","retry_ms":\#(retry)}}"# + "\n\n"
            #expect(try Self.body(text) == "retry: 2000\n" + Self.block(7) + closing)
        }
    }

    @Test("HTTP/1.0, as nginx speaks it by default, gets the same without chunks")
    func plainFraming() async throws {
        let plan = StreamPlan(topics: [.custom("c")], after: 0)
        try await EdgeRig.run(respond: Self.stream(plan)) { rig in
            let client = try await rig.connect()
            try await client.send("GET /stream HTTP/1.0\r\nConnection: close\r\n\r\n")
            try await client.read(until: "retry: 2000\n")
            rig.fanout.publish([Self.frame(1), Self.frame(2, .alerts), Self.frame(3)])
            let text = try await client.read(until: Self.block(3))
            #expect(text.hasSuffix("\r\n\r\nretry: 2000\n" + Self.block(1) + Self.block(3)))
            #expect(!text.contains("chunked"))
            await client.close()
        }
    }

    @Test("line breaks inside a caller's JSON do not break the data line")
    func multilineData() async throws {
        let plan = StreamPlan(topics: [.custom("c")], after: 0)
        try await EdgeRig.run(respond: Self.stream(plan)) { rig in
            let client = try await rig.connect()
            try await client.send(Self.request)
            try await client.read(until: "retry:")
            rig.fanout.publish([Self.frame(1, data: "{\n\"a\":\r\n1\n}")])
            try await client.read(until: Self.block(1, data: "{ \"a\":  1 }"))
            await client.close()
        }
    }

    @Test("a snapshot comes first, and only its last block carries an id")
    func preamble() async throws {
        var plan = StreamPlan(topics: [.custom("c")], after: 9)
        plan.preamble = [Self.frame(9), Self.frame(9)]
        try await EdgeRig.run(head: 9, respond: Self.stream(plan)) { rig in
            let client = try await rig.connect()
            try await client.send(Self.request)
            try await client.read(until: Self.block(9))
            rig.fanout.publish([Self.frame(10)])
            let text = try await client.read(until: Self.block(10))
            #expect(text.ranges(of: "id: 9\n").count == 1)
            #expect(text.ranges(of: "\"position\":9,").count == 2)
            await client.close()
        }
    }

    @Test("a stream cut after any frame and resumed gives the same bytes as an uncut one", arguments: [true, false])
    func cutAndResumed(fromTheLog: Bool) async throws {
        let frames = (1...40).map { Self.frame(Int64($0), $0 % 4 == 0 ? .alerts : .custom("c"), data: "[\($0)]") }
        let wanted = frames.filter { $0.draft.topic != .alerts }
        let whole = wanted.map { Self.block($0.position, data: $0.draft.data.text) }
        let start = Mutex<Int64>(0)
        let respond: EdgeRig.Responder = { request in
            .stream(StreamPlan(topics: [.custom("c")], after: start.withLock { $0 }, end: 40))
        }
        let reader: Fanout.PageReader = { after, through, topics in
            let page = wanted.filter { $0.position > after && $0.position <= through }.prefix(7)
            return StreamPage(frames: Array(page), through: page.count < 7 ? through : page.last?.position ?? through)
        }
        try await EdgeRig.run(head: fromTheLog ? 40 : 0, reader: reader, respond: respond) { rig in
            if !fromTheLog { for frame in frames { rig.fanout.publish([frame]) } }
            for cut in [0, 1, 5, 17, 29] {
                start.withLock { $0 = cut == 0 ? 0 : Int64(whole[cut - 1].dropFirst(4).prefix { $0.isNumber }) ?? -1 }
                let text = try await rig.exchange(Self.request)
                #expect(try Self.body(text) == "retry: 2000\n" + whole[cut...].joined())
            }
        }
    }

    @Test("the stream of a run ends after the batch that ends the run")
    func runEnds() async throws {
        let run = RunID(at: Timestamp(milliseconds: 3), bits: (1, 2))
        func frame(_ position: Int64, _ type: FrameType, _ topic: Topic) -> Frame {
            let draft = DraftFrame(time: Timestamp(milliseconds: 0), topic: topic, run: run, type: type, data: .null)
            return Frame(position: position, draft: draft)
        }
        let plan = StreamPlan(topics: [.run(run)], after: 0, run: run)
        try await EdgeRig.run(respond: Self.stream(plan)) { rig in
            let client = try await rig.connect()
            try await client.send(Self.request)
            try await client.read(until: "retry:")
            rig.fanout.publish([frame(1, .textMessageContent, .run(run))])
            rig.fanout.publish([frame(2, .runFinished, .run(run)), frame(3, .runState, .runs)])
            let text = await client.readToEnd()
            let ids = try Self.body(text).split(separator: "\n").filter { $0.hasPrefix("id: ") }
            #expect(ids == ["id: 1", "id: 2", "id: 3"])
        }
    }

    @Test("a reader that stalls delays nobody, and gets everything when it reads on")
    func stalledReader() async throws {
        let plan = StreamPlan(topics: [.custom("c")], after: 0)
        let data = "\"" + String(repeating: "x", count: 20_000) + "\""
        // More than the kernel's buffers and the ring hold together, so that the log is read as well.
        let frames = (1...900).map { Self.frame(Int64($0), data: data) }
        let reader: Fanout.PageReader = { after, through, _ in
            let page = frames[Int(after)..<min(Int(through), Int(after) + 20)]
            return StreamPage(frames: Array(page), through: page.last?.position ?? through)
        }
        try await EdgeRig.run(reader: reader, respond: Self.stream(plan)) { rig in
            let stalled = try await rig.connect()
            let healthy = try await rig.connect()
            try await stalled.send(Self.request)
            try await healthy.send(Self.request)
            try await stalled.read(until: "retry:")
            try await healthy.read(until: "retry:")
            try await stalled.pauseReading()
            let total = frames.count * (Self.block(1, data: data).utf8.count + 10)
            for frame in frames { rig.fanout.publish([frame]) }
            try await healthy.read(bytes: total)
            try await stalled.resumeReading()
            try await stalled.read(bytes: total)
            let lines = stalled.text.split(whereSeparator: \.isNewline)
            let ids = lines.compactMap { $0.hasPrefix("id: ") ? Int64($0.dropFirst(4)) : nil }
            let isComplete = ids == frames.map(\.position)
            #expect(isComplete)
            await stalled.close()
            await healthy.close()
        }
    }

    @Test("readers that read in fits and starts get every frame once and in order, also if a write is cut anywhere")
    func hesitantReaders() async throws {
        let plan = StreamPlan(topics: [.custom("c")], after: 0)
        // Of all lengths, so that the kernel's buffer ends inside of a frame, a chunk's head, a chunk's end.
        let texts = (1...400).map { String(repeating: "x", count: $0 * 37 % 4999) }
        let frames = texts.enumerated().map { Self.frame(Int64($0.offset + 1), data: "\"\($0.element)\"") }
        let encoded = EncodedFrames(frames, framing: .chunked).slice(0..<frames.count)
        let reader: Fanout.PageReader = { after, through, _ in
            let page = frames[Int(after)..<min(Int(through), Int(after) + 50)]
            return StreamPage(frames: Array(page), through: page.last?.position ?? through)
        }
        try await EdgeRig.run(reader: reader, respond: Self.stream(plan)) { rig in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<2 {
                    group.addTask {
                        let client = try await rig.connect()
                        try await client.send(Self.request)
                        // Frames may have come with it.
                        let begun = try await client.read(until: "retry: 2000\n\r\n")
                        let marker = try #require(begun.firstRange(of: "retry: 2000\n\r\n"))
                        let opening = begun.utf8.distance(from: begun.startIndex, to: marker.upperBound)
                        for step in 1...4 {
                            try await client.pauseReading()
                            // The others go on meanwhile.
                            for _ in 0..<(number + 1) * 5 { await Task.yield() }
                            try await client.resumeReading()
                            try await client.read(bytes: opening + step * encoded.readableBytes / 4)
                        }
                        let isTheSame = client.received.dropFirst(opening) == Array(encoded.readableBytesView)[...]
                        #expect(isTheSame)
                        await client.close()
                    }
                }
                group.addTask {
                    while rig.fanout.subscribers < 2 { await Task.yield() }
                    for frame in frames {
                        rig.fanout.publish([frame])
                        if frame.position.isMultiple(of: 16) { await Task.yield() }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a client that goes away is forgotten")
    func disconnect() async throws {
        let plan = StreamPlan(topics: [.custom("c")], after: 0)
        try await EdgeRig.run(respond: Self.stream(plan)) { rig in
            let client = try await rig.connect()
            try await client.send(Self.request)
            try await client.read(until: "retry:")
            // The opening is on its way before the stream joins.
            while rig.fanout.subscribers == 0 { await Task.yield() }
            await client.close()
            // Counted when it has left.
            while rig.closed(.clientClosed) != 1 { await Task.yield() }
            #expect(rig.fanout.subscribers == 0)
        }
    }

    @Test("a log that cannot be read closes the stream with that reason")
    func logUnavailable() async throws {
        let plan = StreamPlan(topics: [.custom("c")], after: 0)
        let reader: Fanout.PageReader = { _, _, _ in throw BelfryError(.storageFailed, "no disk") }
        try await EdgeRig.run(head: 50, reader: reader, respond: Self.stream(plan)) { rig in
            _ = try await rig.exchange(Self.request)
            #expect(rig.closed(.logUnavailable) == 1)
        }
    }
}
