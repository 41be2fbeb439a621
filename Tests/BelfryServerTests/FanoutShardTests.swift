import BelfryCore
import BelfryEngine
import Glibc
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import BelfryServer

/// A shard on a loop whose time the test turns itself.
@Suite("fan-out shard")
struct FanoutShardTests {
    private let loop = EmbeddedEventLoop()
    private let fanout: Fanout
    private let tokens = Tokens()

    /// Tokens that are not good, and which were asked for.
    private final class Tokens: Sendable {
        let revoked = Mutex<Set<TokenID>>([])
        let asked = Mutex<[TokenID]>([])

        func isValid(_ id: TokenID) -> Bool {
            asked.withLock { $0.append(id) }
            return revoked.withLock { !$0.contains(id) }
        }
    }

    init() {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        fanout = Fanout(loops: [loop], metrics: StreamMetrics(), isValid: tokens.isValid, logger: logger)
        fanout.begin(at: 5)
    }

    private func frame(_ position: Int64, topic: Topic = .custom("c")) -> Frame {
        let draft = DraftFrame(time: Timestamp(milliseconds: 0), topic: topic, type: .custom, data: .null)
        return Frame(position: position, draft: draft)
    }

    private func subscribe(
        after: Int64 = 5, end: Int64? = nil, token: TokenID? = nil, topics: [Topic] = [.custom("c")]
    ) throws -> (EmbeddedChannel, Subscriber) {
        let shard = try #require(fanout.shard(of: loop))
        let plan = StreamPlan(topics: topics, after: after, end: end, token: token)
        let handler = StreamHandler(plan: plan, framing: .plain, shard: shard)
        let channel = EmbeddedChannel(handler: handler, loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        shard.attach(handler.subscriber)
        return (channel, handler.subscriber)
    }

    private func written(_ channel: EmbeddedChannel) throws -> String {
        var text = ""
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        return text
    }

    @Test("a comment line without a blank line every 15 s, and after 60 s of quiet the cursor")
    func keepAlive() throws {
        let (channel, _) = try subscribe()
        for _ in 0..<14 { loop.advanceTime(by: .seconds(1)) }
        #expect(try written(channel) == "")
        loop.advanceTime(by: .seconds(1))
        #expect(try written(channel) == ":\n")
        for _ in 0..<30 { loop.advanceTime(by: .seconds(1)) }
        #expect(try written(channel) == ":\n:\n")
        for _ in 0..<15 { loop.advanceTime(by: .seconds(1)) }
        #expect(try written(channel) == "id: 5\n\n")
        fanout.publish([frame(6, topic: .alerts)])
        for _ in 0..<60 { loop.advanceTime(by: .seconds(1)) }
        #expect(try written(channel) == ":\n:\n:\nid: 6\n\n")
    }

    @Test("a server that stops tells each stream when to come back, in the block of CLOSING")
    func tellsDelay() throws {
        var delays: Set<Substring> = []
        for _ in 0..<10 {
            let (channel, _) = try subscribe()
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            let text = try written(channel)
            let block = try #require(text.wholeMatch(of: #/retry: (\d+)\ndata: ({.*"type":"CLOSING".*})\n\n/#))
            #expect(block.2.hasSuffix(#""data":{"reason":"server_shutdown","retry_ms":\#(block.1)}}"#))
            delays.insert(block.1)
            #expect(!channel.isActive)
        }
        #expect(delays.count == 10)
    }

    @Test("a stream without topics, and one whose topics have changed, keep their cursor at the head")
    func cursorOfChangedTopics() throws {
        let (channel, subscriber) = try subscribe(topics: [])
        let shard = try #require(fanout.shard(of: loop))
        fanout.publish([frame(6)])
        for _ in 0..<60 { loop.advanceTime(by: .seconds(1)) }
        #expect(try written(channel) == ":\n:\n:\nid: 6\n\n")
        shard.add([.custom("c")], after: 6, to: subscriber)
        fanout.publish([frame(7, topic: .alerts)])
        for _ in 0..<60 { loop.advanceTime(by: .seconds(1)) }
        #expect(try written(channel) == ":\n:\n:\nid: 7\n\n")
        shard.remove([.custom("c")], from: subscriber)
        fanout.publish([frame(8)])
        for _ in 0..<60 { loop.advanceTime(by: .seconds(1)) }
        #expect(try written(channel) == ":\n:\n:\nid: 8\n\n")
    }

    @Test("a keep-alive that falls between two turns moves no cursor past the frames that wait for the next")
    func cursorBehindTurns() throws {
        let channels = try (0..<Limits.subscribersPerLoneTurnMax + 1).map { _ in try subscribe().0 }
        for _ in 0..<59 { loop.advanceTime(by: .seconds(1)) }
        let last = try #require(channels.last)
        _ = try written(last)
        fanout.publish([frame(6), frame(7)])
        loop.run()
        try #require(fanout.shard(of: loop)).tick()
        #expect(try written(last) == ":\n")
        loop.advanceTime(by: FanoutShard.pause)
        let ids = try written(last).split(separator: "\n").filter { $0.hasPrefix("id") }
        #expect(ids == ["id: 6", "id: 7"])
    }

    @Test("CLOSING stands at what was delivered, so that who goes on behind it misses nothing", arguments: [3, 5])
    func closingOfOneBehind(after: Int64) throws {
        let (channel, subscriber) = try subscribe(after: after)
        // One that is behind waits for the log.
        #expect(subscriber.machine.isLive == (after == 5))
        try #require(fanout.shard(of: loop)).close(subscriber, .serverShutdown)
        #expect(try written(channel).contains(#"data: {"position":\#(after),"#))
    }

    @Test("a frame makes the stream no longer quiet")
    func frameResetsQuiet() throws {
        let (channel, _) = try subscribe()
        for _ in 0..<50 { loop.advanceTime(by: .seconds(1)) }
        fanout.publish([frame(6)])
        loop.run()
        _ = try written(channel)
        for _ in 0..<50 { loop.advanceTime(by: .seconds(1)) }
        #expect(try written(channel) == ":\n:\n:\n")
    }

    @Test("an unwritable subscriber gets nothing, not even keep-alives, and is closed after 30 s without progress")
    func stalled() throws {
        let (channel, subscriber) = try subscribe()
        channel.isWritable = false
        fanout.publish([frame(6)])
        loop.run()
        #expect(subscriber.machine.isLagging)
        for _ in 0..<30 { loop.advanceTime(by: .seconds(1)) }
        #expect(try written(channel) == "")
        #expect(channel.isActive)
        loop.advanceTime(by: .seconds(1))
        #expect(subscriber.machine.state == .closed(.stalled))
        #expect(!channel.isActive)
        #expect(fanout.subscribers == 0)
    }

    @Test(
        "a client that hangs up without a word has closed; what fails here is told apart",
        arguments: [(ECONNRESET, CloseReason.clientClosed), (EPIPE, .clientClosed), (ENOBUFS, .writeFailed)])
    func reset(number: CInt, reason: CloseReason) throws {
        let (channel, subscriber) = try subscribe()
        channel.pipeline.fireErrorCaught(IOError(errnoCode: number, reason: "write"))
        #expect(subscriber.machine.state == .closed(reason))
    }

    @Test("writable again, it catches up from the ring and goes on live")
    func catchesUp() throws {
        let (channel, subscriber) = try subscribe()
        channel.isWritable = false
        fanout.publish([frame(6), frame(7, topic: .alerts)])
        fanout.publish([frame(8)])
        loop.run()
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        loop.run()
        #expect(subscriber.machine.isLive)
        fanout.publish([frame(9)])
        loop.run()
        let ids = try written(channel).split(separator: "\n").filter { $0.hasPrefix("id") }
        #expect(ids == ["id: 6", "id: 8", "id: 9"])
    }

    @Test("batches that come while the loop is busy go out in one write")
    func coalesces() throws {
        let (channel, _) = try subscribe()
        for position in 6..<10 { fanout.publish([frame(Int64(position))]) }
        loop.run()
        let first = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(String(buffer: first).ranges(of: "id: ").count == 4)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
    }

    @Test("a turn serves so many subscribers, and who comes later in it gets what was published meanwhile with it")
    func turns() throws {
        let channels = try (0..<Limits.subscribersPerLoneTurnMax + 1).map { _ in try subscribe().0 }
        fanout.publish([frame(6)])
        loop.run()
        #expect(try written(channels[0]).ranges(of: "id: ").count == 1)
        let last = try #require(channels.last)
        #expect(try written(last) == "")
        fanout.publish([frame(7)])
        loop.advanceTime(by: FanoutShard.pause)
        let first = try #require(try last.readOutbound(as: ByteBuffer.self))
        #expect(String(buffer: first).ranges(of: "id: ").count == 2)
        loop.advanceTime(by: FanoutShard.pause)
        #expect(try written(channels[0]).ranges(of: "id: ").count == 1)
        #expect(try written(last) == "")
    }

    @Test("who leaves or becomes unwritable before its turn is passed over, and catches up")
    func passedOver() throws {
        let (busy, _) = try subscribe()
        let others = try (0..<Limits.subscribersPerLoneTurnMax).map { _ in try subscribe() }
        let (slow, slowSubscriber) = try subscribe()
        let (gone, _) = try subscribe()
        fanout.publish([frame(6)])
        loop.run()
        slow.isWritable = false
        gone.pipeline.fireChannelInactive()
        loop.advanceTime(by: FanoutShard.pause)
        #expect(slowSubscriber.machine.state == .lagging(cursor: 5))
        #expect(try written(slow) == "")
        slow.isWritable = true
        slow.pipeline.fireChannelWritabilityChanged()
        loop.run()
        #expect(try written(slow).ranges(of: "id: 6\n").count == 1)
        #expect(try written(busy).ranges(of: "id: 6\n").count == 1)
        #expect(fanout.subscribers == others.count + 2)
    }

    @Test("who is closed before its turn first gets what was noted for it")
    func closedBeforeItsTurn() throws {
        let shard = try #require(fanout.shard(of: loop))
        for _ in 0..<Limits.subscribersPerLoneTurnMax { _ = try subscribe() }
        let (channel, subscriber) = try subscribe()
        fanout.publish([frame(6)])
        loop.run()
        shard.close(subscriber, .serverShutdown)
        let text = try written(channel)
        #expect(text.ranges(of: "id: 6\n").count == 1)
        #expect(text.contains("server_shutdown"))
    }

    @Test("what was published before it came is not published again")
    func oldFramesAreIgnored() throws {
        let (channel, _) = try subscribe()
        fanout.publish([frame(4), frame(5)])
        fanout.publish([frame(5), frame(6)])
        loop.run()
        #expect(try written(channel).ranges(of: "id: ").count == 1)
    }

    @Test("a stream whose end the loop has not heard of yet closes when it has, though nothing in there is for it")
    func endAheadOfTheLoop() throws {
        let (channel, subscriber) = try subscribe(end: 6)
        let (other, _) = try subscribe(end: 7)
        #expect(subscriber.machine.isLive)
        fanout.publish([frame(6, topic: .alerts)])
        loop.run()
        #expect(subscriber.machine.state == .closed(.runEnded))
        #expect(!channel.isActive)
        #expect(other.isActive)
        #expect(fanout.subscribers == 1)
    }

    @Test("streams end within a second of their token, which is asked for once a second for all of them")
    func revoked() throws {
        let revoked = TokenID(at: Timestamp(milliseconds: 1), bits: (1, 2))
        let kept = TokenID(at: Timestamp(milliseconds: 1), bits: (3, 4))
        let ending = try (0..<3).map { _ in try subscribe(token: revoked) }
        let (stalled, _) = try subscribe(token: revoked)
        stalled.isWritable = false
        let (other, _) = try subscribe(token: kept)
        loop.advanceTime(by: .seconds(1))
        #expect(fanout.subscribers == 5)
        #expect(Set(tokens.asked.withLock { $0 }) == [revoked, kept])
        #expect(tokens.asked.withLock { $0.count } == 2)
        tokens.revoked.withLock { _ = $0.insert(revoked) }
        loop.advanceTime(by: .seconds(1))
        for (channel, subscriber) in ending {
            #expect(subscriber.machine.state == .closed(.unauthorized))
            #expect(try written(channel).contains(#""data":{"reason":"unauthorized"}}"#))
            #expect(!channel.isActive)
        }
        #expect(!stalled.isActive)
        #expect(other.isActive)
        #expect(fanout.subscribers == 1)
    }

    @Test("a loop that is too far behind lets its subscribers read instead")
    func overrun() throws {
        let (channel, subscriber) = try subscribe()
        let data = RawJSON(trusted: [0x22] + [UInt8](repeating: 0x78, count: 1024 * 1024) + [0x22])
        for position in 6..<20 {
            let draft = DraftFrame(time: Timestamp(milliseconds: 0), topic: .alerts, type: .custom, data: data)
            fanout.publish([Frame(position: Int64(position), draft: draft)])
        }
        fanout.publish([frame(20)])
        loop.run()
        #expect(try written(channel) == "")
        #expect(subscriber.machine.state == .catchingUp(cursor: 5, isReading: true))
    }
}
