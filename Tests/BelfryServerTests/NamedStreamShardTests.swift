import BelfryCore
import BelfryEngine
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import BelfryServer

/// Named streams and their connections, on loops that the test turns itself.
@Suite("named streams on a shard")
struct NamedStreamShardTests {
    private let loop = EmbeddedEventLoop()
    private let otherLoop = EmbeddedEventLoop()
    private let fanout: Fanout
    private let viewer = Principal(token: nil, name: "me", role: .viewer)

    init() {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        fanout = Fanout(loops: [loop, otherLoop], metrics: StreamMetrics(), isValid: { _ in true }, logger: logger)
        fanout.begin(at: 5)
    }

    private func frame(_ position: Int64, topic: Topic = .custom("c")) -> Frame {
        let draft = DraftFrame(time: Timestamp(milliseconds: 0), topic: topic, type: .custom, data: .null)
        return Frame(position: position, draft: draft)
    }

    private func stream() -> NamedStream {
        NamedStream(name: "tab", topics: [.custom("c")], opener: viewer, clock: .system)
    }

    /// A request for the stream, whose connection may come later.
    private func plan(_ stream: NamedStream, after: Int64, by opener: Principal? = nil) -> StreamPlan {
        let opening = NamedStreamOpening(of: stream, by: opener ?? viewer)
        var plan = StreamPlan(topics: stream.topicsToBegin(after: after), after: after)
        plan.stream = opening
        plan.sessions = [stream.session]
        return plan
    }

    private func connect(_ plan: StreamPlan, on loop: EmbeddedEventLoop) throws -> (EmbeddedChannel, Subscriber) {
        let shard = try #require(fanout.shard(of: loop))
        let handler = StreamHandler(plan: plan, framing: .plain, shard: shard)
        let channel = EmbeddedChannel(handler: handler, loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        shard.attach(handler.subscriber)
        return (channel, handler.subscriber)
    }

    private func ids(_ channel: EmbeddedChannel) throws -> [Substring] {
        var text = ""
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        return text.split(separator: "\n").filter { $0.hasPrefix("id: ") }.map { $0.dropFirst(4) }
    }

    @Test("what was added while a narrower ticket was on its way does not go to its connection")
    func narrowerConnection() throws {
        let ticket = Principal(token: nil, name: "me", role: .viewer, scopes: ["custom/c"])
        let stream = stream()
        try stream.reopen(topics: [.custom("c")], by: ticket)
        let plan = plan(stream, after: 5, by: ticket)
        try stream.change(.edit(add: [.alerts], remove: []), after: 0, head: 5)
        let (_, subscriber) = try connect(plan, on: loop)
        loop.run()
        #expect(subscriber.topics.topics == [.custom("c")])
        #expect(throws: BelfryError.self) { try stream.reopen(topics: [], by: ticket) }
        #expect(throws: BelfryError.self) { try stream.change(.replace([.runs]), after: 0, head: 5) }
    }

    @Test("a topic that was added again between a request and its connection begins anew there")
    func changedBeforeItConnects() throws {
        fanout.publish([frame(6)])
        let stream = stream()
        let plan = plan(stream, after: 6)
        try stream.change(.edit(add: [.custom("c")], remove: [.custom("c")]), after: 5, head: 6)
        let (_, subscriber) = try connect(plan, on: loop)
        loop.run()
        #expect(subscriber.machine.cursor(head: 6) == 5)
    }

    @Test("who is cut before a change has reached its connection gets what was added, whatever it was sent since")
    func cutBeforeItIsSettled() throws {
        let stream = stream()
        let (channel, _) = try connect(plan(stream, after: 5), on: loop)
        loop.run()
        try stream.change(.edit(add: [.alerts], remove: []), after: 0, head: 5)
        fanout.publish([frame(6)])
        loop.run()
        #expect(try ids(channel) == ["6"])
        // It may be back before its first connection is known to be gone.
        #expect(stream.topicsToBegin(after: 6) == [.custom("c")])
        try channel.close().wait()
        loop.run()
        #expect(stream.topicsToBegin(after: 6) == [.custom("c")])
        #expect(stream.topicsToBegin(after: 7) == [.custom("c"), .alerts])
    }

    @Test(
        "what a client is sent between the take-over by another and its end costs it none of what was added meanwhile")
    func takenOver() throws {
        let stream = stream()
        let (first, _) = try connect(plan(stream, after: 5), on: loop)
        loop.run()
        fanout.publish([frame(6)])
        let (_, second) = try connect(plan(stream, after: 5), on: otherLoop)
        try stream.change(.edit(add: [.alerts], remove: []), after: 0, head: 6)
        stream.settle((try #require(fanout.shard(of: otherLoop)), second))
        fanout.publish([frame(7)])
        // The first hears of the other only now.
        loop.run()
        #expect(try ids(first) == ["6", "7"])
        #expect(!first.isActive)
        loop.run()
        #expect(stream.topicsToBegin(after: 7) == [.custom("c")])
        #expect(stream.topicsToBegin(after: 8) == [.custom("c"), .alerts])
    }
}
