import BelfryCore
import BelfryEngine
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import BelfryServer

/// Rendered streams on a loop whose time the test turns itself.
@Suite("rendered streams in a shard")
struct FormatShardTests {
    private let loop = EmbeddedEventLoop()
    private let fanout: Fanout
    private let log = RunLog(seed: 11)

    init() {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        fanout = Fanout(loops: [loop], metrics: StreamMetrics(), isValid: { _ in true }, logger: logger)
        fanout.begin(at: 0)
    }

    private func subscribe(
        _ rendering: RunRendering, framing: StreamFraming = .plain
    ) throws -> (EmbeddedChannel, Subscriber) {
        let shard = try #require(fanout.shard(of: loop))
        var plan = StreamPlan(topics: [.run(log.run)], after: 0, run: log.run)
        plan.rendering = rendering
        let handler = StreamHandler(plan: plan, framing: framing, shard: shard)
        let channel = EmbeddedChannel(handler: handler, loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        shard.attach(handler.subscriber)
        return (channel, handler.subscriber)
    }

    private var everyRendering: [RunRendering] {
        let machine = StepTextStateMachine(step: "s0")
        let heading = CompletionChunks.Heading(id: "c", model: "m", created: Timestamp(milliseconds: 0))
        return [
            .agui(AGUIStateMachine(run: log.run)), .openAI(machine, CompletionChunks(heading: heading)), .text(machine),
        ]
    }

    private func written(_ channel: EmbeddedChannel) throws -> String {
        var text = ""
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        return text
    }

    private func rendered(_ rendering: RunRendering) -> String {
        var rendering = rendering
        return rendering.bytes(of: log.frames, framing: .plain).map { String(buffer: $0) } ?? ""
    }

    @Test("frame by frame, some at once, or caught up from the ring: the same bytes, then the end", arguments: 0..<3)
    func deliveries(index: Int) throws {
        let rendering = everyRendering[index]
        let (single, first) = try subscribe(rendering)
        let (lagging, second) = try subscribe(rendering)
        lagging.isWritable = false
        for frame in log.frames.dropLast(3) {
            fanout.publish([frame])
            loop.run()
        }
        fanout.publish(log.frames.suffix(3))
        loop.run()
        #expect(try written(single) == rendered(rendering))
        #expect(first.machine.state == .closed(.runEnded) && !single.isActive)
        lagging.isWritable = true
        lagging.pipeline.fireChannelWritabilityChanged()
        loop.run()
        #expect(try written(lagging) == rendered(rendering))
        #expect(second.machine.state == .closed(.runEnded))
        #expect(fanout.subscribers == 0)
    }

    @Test("quiet: comment lines without a blank line, no event without data, and nothing at all in a text")
    func keepAlive() throws {
        for rendering in everyRendering {
            let (channel, _) = try subscribe(rendering)
            for _ in 0..<60 { loop.advanceTime(by: .seconds(1)) }
            #expect(try written(channel) == (rendering.isText ? "" : ":\n:\n:\n:\n"))
        }
    }

    @Test("a text ends with what became of its step, but breaks off when the server stops")
    func textEnds() throws {
        let text = StepTextStateMachine(step: "s0")
        let (whole, _) = try subscribe(.text(text), framing: .chunked)
        let (cut, _) = try subscribe(.text(StepTextStateMachine(step: "never")), framing: .chunked)
        let (chunks, _) = try subscribe(everyRendering[1])
        try #require(fanout.shard(of: loop)).close(subscriber(of: cut), .serverShutdown)
        try #require(fanout.shard(of: loop)).close(subscriber(of: chunks), .serverShutdown)
        #expect(try written(cut) == "" && !cut.isActive)
        #expect(try written(chunks).contains(#""code":"server_shutdown""#))
        fanout.publish(log.frames)
        loop.run()
        #expect(try written(whole).hasSuffix("\r\n0\r\nbelfry-step-state: succeeded\r\n\r\n"))
    }

    @Test("a stream of events says that the server stops, and when to come back, in its own format", arguments: 0..<2)
    func farewell(index: Int) throws {
        let (channel, subscriber) = try subscribe(everyRendering[index])
        fanout.publish(Array(log.frames.prefix(3)))
        loop.run()
        _ = try written(channel)
        try #require(fanout.shard(of: loop)).close(subscriber, .serverShutdown)
        let last = try written(channel).split(separator: "\n")
        #expect(last.first?.hasPrefix("retry: ") == true && last.count == 2)
        #expect(last.last?.contains(#"server_shutdown""#) == true)
        #expect(
            last.last?.hasPrefix(index == 0 ? #"data: {"type":"CUSTOM","name":"belfry.closing""# : "data: {\"error\"")
                == true)
    }

    private func subscriber(of channel: EmbeddedChannel) throws -> Subscriber {
        try channel.pipeline.syncOperations.handler(type: StreamHandler.self).subscriber
    }
}
