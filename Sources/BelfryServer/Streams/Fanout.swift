import BelfryCore
import BelfryEngine
import Logging
import NIOCore
import Synchronization

/// A page of the log: the frames for some topics, and the position up to which all were considered.
struct StreamPage: Sendable {
    var frames: [Frame]
    var through: Int64
    /// Topics of which frames behind the page's beginning are gone: for each, up to which position.
    var floors: [Topic: Int64] = [:]
}

/// Takes committed frames to every subscriber: a shard per event loop, and a ring of what came last. It lives as
/// long as the server.
///
/// ```
/// writer thread ── publish ──▶ ring
///                    └──▶ mailbox of each shard ── one wake-up ──▶ loop: shared bytes to its subscribers
/// ```
final class Fanout: Sendable {
    /// Reads one page of the log.
    typealias PageReader = @Sendable (_ after: Int64, _ through: Int64, _ topics: [Topic]) async throws -> StreamPage

    struct PageRequest: Sendable {
        let loop: any EventLoop
        let ticket: Int
        let after: Int64
        let through: Int64
        let topics: [Topic]
    }

    private struct Shard: Sendable {
        let loop: any EventLoop
        let mailbox: ShardMailbox
        let state: NIOLoopBoundBox<FanoutShard?>
    }

    private struct Recent {
        var ring = FrameRing<FrameBatch>()
        /// Up to here frames were handed out, or came before the beginning.
        var head: Int64 = 0
        var hasBegun = false
    }

    let metrics: StreamMetrics
    let logger: Logger
    let shared = SharedLines()
    /// Whether a token that opened a stream is still good. Asked on the loops, so it must not wait for anything.
    let isValid: @Sendable (TokenID) -> Bool
    private let clock: WallClock
    private let shards: [ObjectIdentifier: Shard]
    private let recent: Mutex<Recent>
    /// Nil until somebody is sent away.
    private let spread = Mutex<ReconnectSpread?>(nil)
    private let requests: AsyncStream<PageRequest>
    private let requestSink: AsyncStream<PageRequest>.Continuation

    /// Nothing is handed out before ``begin(at:)``.
    init(
        loops: [any EventLoop], metrics: StreamMetrics, clock: WallClock = .system,
        isValid: @escaping @Sendable (TokenID) -> Bool, logger: Logger
    ) {
        self.isValid = isValid
        self.metrics = metrics
        self.logger = logger
        self.clock = clock
        recent = Mutex(Recent())
        // Bounded by what a shard asks for at a time (``Limits/logReadersPerShard``).
        (requests, requestSink) = AsyncStream.makeStream()
        shards = Dictionary(
            uniqueKeysWithValues: loops.map { loop in
                let box = NIOLoopBoundBox<FanoutShard?>.makeEmptyBox(valueType: FanoutShard.self, eventLoop: loop)
                return (ObjectIdentifier(loop), Shard(loop: loop, mailbox: ShardMailbox(), state: box))
            }
        )
    }

    /// The position of the last published frame.
    var head: Int64 { recent.withLock { $0.head } }

    // MARK: - Publishing

    /// Begins to hand out. What was committed before, at or before `head` or heard of already, is in the log for who
    /// wants it. To be called before the first subscriber comes.
    func begin(at head: Int64) {
        let start = recent.withLock { recent in
            recent.head = max(recent.head, head)
            recent.hasBegun = true
            return recent.head
        }
        for shard in shards.values { shard.mailbox.begin(at: start) }
    }

    /// Hands on frames that were just committed. Called by one thread at a time, in the order of their positions.
    func publish(_ frames: [Frame]) {
        guard let last = frames.last else { return }
        let batch: FrameBatch? = recent.withLock { recent in
            guard recent.hasBegun else {
                recent.head = max(recent.head, last.position)
                return nil
            }
            guard last.position > recent.head else { return nil }
            let fresh = frames.first.map { $0.position > recent.head } ?? false
            let batch = FrameBatch(
                after: recent.head, through: last.position,
                frames: fresh ? frames : frames.filter { $0.position > recent.head }
            )
            recent.head = last.position
            recent.ring.append(
                after: batch.after, through: batch.through, frames: batch.frames.count, bytes: batch.bytesEstimate,
                payload: batch
            )
            return batch
        }
        guard let batch else { return }
        for shard in shards.values where shard.mailbox.put(batch) {
            shard.loop.execute { shard.state.value?.deliver() }
        }
    }

    /// The recent batches that together hold everything after a position; nil if they do not reach back that far.
    func recentBatches(after position: Int64) -> [FrameBatch]? {
        recent.withLock { $0.ring.batches(after: position)?.map(\.payload) }
    }

    // MARK: - Subscribers

    /// The shard of a loop. To be called on that loop.
    func shard(of loop: any EventLoop) -> FanoutShard? {
        guard let shard = shards[ObjectIdentifier(loop)] else { return nil }
        if let state = shard.state.value { return state }
        let state = FanoutShard(loop: loop, mailbox: shard.mailbox, fanout: self, head: head)
        shard.state.value = state
        return state
    }

    /// Open streams.
    var subscribers: Int { shards.values.reduce(0) { $0 + $1.mailbox.subscribers } }

    /// When the next client that is sent away may come back. How far the delays lie apart is settled with the first.
    func reconnectDelay() -> Duration {
        let open = subscribers
        return spread.withLock { spread in
            var delays = spread ?? ReconnectSpread(clients: open, offset: .random(in: 0..<1))
            defer { spread = delays }
            return delays.next()
        }
    }

    /// What a client reads last when its stream ends before its time. It is not in the log.
    /// - Parameter delay: after which the client may come back; nil if it has no use in coming.
    func closingFrame(position: Int64, _ reason: CloseReason, delay: Duration?) -> Frame {
        var object: JSONObject = ["reason": .string(reason.rawValue)]
        object["retry_ms"] = delay.map { .int($0.milliseconds) }
        let data = RawJSON(.object(object))
        return Frame(
            position: position, draft: DraftFrame(time: clock.now(), topic: .alerts, type: .closing, data: data)
        )
    }

    /// Says what is not to be had any more.
    /// - Parameter position: everything up to there was considered.
    func gapFrame(_ holes: SubscriptionTopics.Holes, position: Int64) -> Frame {
        Frame(gapAt: position, from: holes.from, to: holes.through, topics: holes.topics, time: clock.now())
    }

    // MARK: - Reading the log

    func read(_ request: PageRequest) { requestSink.yield(request) }

    /// Serves the shards' requests for pages of the log until cancelled.
    func run(reader: @escaping PageReader) async {
        await withDiscardingTaskGroup { group in
            for await request in requests {
                group.addTask {
                    let page = await self.page(for: request, reader)
                    request.loop.execute {
                        self.shard(of: request.loop)?.pageArrived(ticket: request.ticket, page)
                    }
                }
            }
        }
    }

    private func page(for request: PageRequest, _ reader: PageReader) async -> StreamPage? {
        do {
            return try await reader(request.after, request.through, request.topics)
        } catch {
            logger.warning("the log could not be read for a stream", metadata: ["error": "\(error)"])
            return nil
        }
    }
}

/// Lines that are the same for every subscriber, encoded once.
struct SharedLines: Sendable {
    private let chunked = EventStreamEncoder.keepAlive(framing: .chunked)
    private let plain = EventStreamEncoder.keepAlive(framing: .plain)

    func keepAlive(framing: StreamFraming) -> ByteBuffer { framing == .chunked ? chunked : plain }

    func cursor(_ position: Int64, framing: StreamFraming) -> ByteBuffer {
        EventStreamEncoder.cursor(position, framing: framing)
    }
}
