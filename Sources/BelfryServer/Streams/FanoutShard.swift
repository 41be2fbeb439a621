import BelfryCore
import BelfryEngine
import Logging
import NIOCore

/// The subscribers of one event loop. Everything in here happens on that loop.
///
/// What was published is noted for each subscriber that wants it, and those that have something to get stand in a queue.
/// A turn serves a bounded number of them, each with all that came for it until then in one write, and lets the loop
/// read in between. So an idle loop writes at once, and the busier it is, the more goes out in one write.
final class FanoutShard {
    let loop: any EventLoop
    let mailbox: ShardMailbox
    var index = TopicIndex<Subscriber>()
    /// Batches up to here were noted.
    private(set) var head: Int64
    /// Who waits to read the log or the ring.
    var readQueue = CircularBuffer<Subscriber>()
    var isReadScheduled = false
    /// Who reads the log at this moment, by ticket.
    var reading: [Int: Subscriber] = [:]
    /// Who waits for one of the places to read the log.
    var waitingForLog = CircularBuffer<Subscriber>()
    var nextTicket = 0
    var wheel = KeepAliveWheel()
    /// Whose connection took nothing when it was last looked at.
    var blocked: [ObjectIdentifier: Subscriber] = [:]
    /// How many streams each token has opened.
    private(set) var tokens: [TokenID: Int] = [:]
    var timer: RepeatedTask?
    let fanout: Fanout
    /// Whose end is known and not reached: nothing for them has to come for the head to get there.
    private var ending: [ObjectIdentifier: Subscriber] = [:]
    private var window = FrameWindow()
    /// Who has frames of the window to get, whoever waits longest first.
    private var queue = CircularBuffer<Waiting>()
    private var isTurnScheduled = false
    /// More was published than the window takes; it waits in the mailbox.
    private var isDeliveryHeld = false
    /// The bytes of one write that come from several places.
    var gathered: [UInt8] = []

    /// Frames written since the metric was last told.
    private var delivered = 0

    private struct Waiting {
        let subscriber: Subscriber
        /// The first frame that was noted for it, or one before it.
        let since: Int
    }

    init(loop: any EventLoop, mailbox: ShardMailbox, fanout: Fanout, head: Int64) {
        self.loop = loop
        self.mailbox = mailbox
        self.fanout = fanout
        self.head = head
    }

    // MARK: - Coming and going

    /// A stream whose head and opening bytes are written joins.
    func attach(_ subscriber: Subscriber) {
        if let head = mailbox.join() { self.head = max(self.head, head) }
        subscriber.slot = index.insert(subscriber, topics: subscriber.topics.topics)
        wheel.insert(subscriber)
        if let token = subscriber.token { tokens[token, default: 0] += 1 }
        fanout.metrics.streamOpened()
        startTimer()
        if subscriber.machine.end != nil { ending[ObjectIdentifier(subscriber)] = subscriber }
        proceed(subscriber)
    }

    /// Says goodbye as far as the connection takes it, and closes.
    func close(_ subscriber: Subscriber, _ reason: CloseReason) {
        handOut(to: subscriber)
        let position = subscriber.machine.cursor(head: head) ?? head
        perform(subscriber.machine.close(reason), for: subscriber, at: position)
    }

    /// The connection is gone already.
    func detach(_ subscriber: Subscriber, _ reason: CloseReason) {
        if case .close(let reason) = subscriber.machine.close(reason) { forget(subscriber, reason) }
    }

    func becameWritable(_ subscriber: Subscriber) { proceed(subscriber) }

    /// - Parameter position: how far a subscriber has come that is closed; nil: to the head.
    func perform(
        _ action: SubscriptionStateMachine.Action, for subscriber: Subscriber, at position: Int64? = nil
    ) {
        switch action {
        case .none, .deliver: break
        case .read: enqueueRead(subscriber)
        case .close(let reason):
            forget(subscriber, reason)
            subscriber.sink?.end(reason, position: position ?? head)
        }
    }

    private func forget(_ subscriber: Subscriber, _ reason: CloseReason) {
        guard let slot = subscriber.slot else { return }
        subscriber.slot = nil
        index.remove(slot)
        wheel.remove(subscriber)
        if let token = subscriber.token, let count = tokens[token] { tokens[token] = count > 1 ? count - 1 : nil }
        ending[ObjectIdentifier(subscriber)] = nil
        blocked[ObjectIdentifier(subscriber)] = nil
        mailbox.leave()
        fanout.metrics.streamClosed(reason)
        fanout.logger.debug("stream closed", metadata: ["stream.reason": "\(reason.rawValue)"])
        guard index.count == 0 else { return }
        stopTimer()
        reportDelivered()
    }

    // MARK: - Delivering

    /// Notes what was published since the last time, and begins to hand it out.
    func deliver() {
        guard window.bytesEstimate < Limits.ringBytesMax else {
            isDeliveryHeld = true
            return
        }
        let delivery = mailbox.take()
        guard !delivery.isOverrun else { return catchUpAll(head: delivery.head) }
        guard let through = delivery.batches.last?.through else { return }
        for batch in delivery.batches {
            window.append(batch)
            for (offset, frame) in batch.frames.enumerated() {
                let number = window.end - batch.frames.count + offset
                index.forEachSubscriber(of: frame.draft) { note(frame, number, for: $0, head: through) }
            }
        }
        head = through
        closeEnded()
        if !isTurnScheduled { turn() }
    }

    /// Notes a frame for a subscriber. Who is not live reads it from ring or log later.
    private func note(_ frame: Frame, _ number: Int, for subscriber: Subscriber, head: Int64) {
        guard case .live(let from) = subscriber.machine.state, frame.position > from,
            frame.position > subscriber.topics.filterEnd || subscriber.topics.wants(frame)
        else { return }
        if subscriber.pending.isEmpty { queue.append(Waiting(subscriber: subscriber, since: number)) }
        subscriber.pending.append(number)
        noteEnd(of: frame, for: subscriber, head: head)
    }

    /// Serves those who wait longest.
    private func turn() {
        isTurnScheduled = false
        var served = 0
        let most = window.isOneBatch ? Limits.subscribersPerLoneTurnMax : Limits.subscribersPerTurnMax
        while served < most, let next = queue.popFirst() {
            served += 1
            handOut(to: next.subscriber)
        }
        reportDelivered()
        window.forget(before: queue.first?.since ?? window.end)
        if !queue.isEmpty {
            isTurnScheduled = true
            // A task that is due at once would run before the loop reads.
            loop.assumeIsolated().scheduleTask(in: Self.pause) { self.turn() }
        }
        if isDeliveryHeld {
            isDeliveryHeld = false
            deliver()
        }
    }

    /// Long enough for a loop to find nothing to do but read, and for a thread that shares its processor to get a turn.
    static let pause = TimeAmount.microseconds(10)

    /// Writes a subscriber what is noted for it.
    func handOut(to subscriber: Subscriber) {
        let pending = subscriber.pending
        subscriber.pending.removeAll()
        guard !pending.isEmpty, subscriber.slot != nil else { return }
        // Who has that much to get reads it from the ring, where what its connection does not take need not be copied.
        let isWritable = subscriber.isWritable && pending.count <= Limits.framesPerWriteMax
        let before = window[pending.first.lowerBound].position - 1
        if case .deliver = subscriber.machine.batch(after: before, isWritable: isWritable) {
            write(pending, to: subscriber)
        } else {
            watch(subscriber)
        }
        if !isWritable || subscriber.machine.end != nil { proceed(subscriber) }
    }

    private func write(_ pending: PendingFrames, to subscriber: Subscriber) {
        let framing = subscriber.framing
        if subscriber.rendering != nil {
            return render(window[pending], to: subscriber, head: head)
        }
        if pending.others.isEmpty {
            window.withBytes(of: pending.first, framing: framing) { subscriber.send($0) }
            return written(pending.count, to: subscriber)
        }
        gathered.removeAll(keepingCapacity: true)
        for run in [pending.first] + pending.others {
            window.withBytes(of: run, framing: framing) { gathered.append(contentsOf: $0) }
        }
        sendGathered(frames: pending.count, to: subscriber)
    }

    /// Writes what was gathered from several places.
    func sendGathered(frames: Int, to subscriber: Subscriber) {
        gathered.withUnsafeBytes { subscriber.send($0) }
        written(frames, to: subscriber)
    }

    func reportDelivered() {
        if delivered > 0 { fanout.metrics.framesDelivered(delivered) }
        delivered = 0
    }

    func written(_ frames: Int, to subscriber: Subscriber) {
        delivered += frames
        watch(subscriber)
    }

    /// Closes those whose end the head has reached. Who is not live, or has something to get, asks for itself later.
    private func closeEnded() {
        for subscriber in ending.values where subscriber.machine.isLive && subscriber.pending.isEmpty {
            proceed(subscriber)
        }
    }

    func proceed(_ subscriber: Subscriber) {
        let action = subscriber.machine.advance(head: head, isWritable: subscriber.isWritable)
        // Who is not live reads what is published from ring or log: thousands of stalled ones cost a frame nothing.
        if let slot = subscriber.slot { index.setPassedOver(slot, !subscriber.machine.isLive) }
        perform(action, for: subscriber)
    }

    /// Notes that the watched run ends with this frame; what else its last commit holds stands at or before `head`.
    func noteEnd(of frame: Frame, for subscriber: Subscriber, head: Int64) {
        guard let run = subscriber.run, frame.draft.type == .runFinished || frame.draft.type == .runError,
            frame.draft.run == run
        else { return }
        noteEnd(of: subscriber, head: head)
    }

    /// Nothing is to be said behind `head`.
    func noteEnd(of subscriber: Subscriber, head: Int64) {
        subscriber.machine.runEnded(head: head)
        if subscriber.slot != nil { ending[ObjectIdentifier(subscriber)] = subscriber }
    }

    /// More was published than may wait: everybody reads it from ring or log.
    private func catchUpAll(head newHead: Int64) {
        var everybody: [Subscriber] = []
        index.forEach { everybody.append($0) }
        let oldHead = head
        head = newHead
        for subscriber in everybody {
            handOut(to: subscriber)
            _ = subscriber.machine.batch(after: oldHead, isWritable: false)
            proceed(subscriber)
        }
    }
}
