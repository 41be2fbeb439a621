import BelfryCore
import BelfryEngine
import Logging
import NIOCore

/// The subscribers of one event loop. Everything in here happens on that loop.
///
/// A turn takes what was published since the last one, writes each subscriber its frames as slices of one shared
/// buffer, and flushes each connection once.
final class FanoutShard {
    let loop: any EventLoop
    let mailbox: ShardMailbox
    var index = TopicIndex<Subscriber>()
    /// Batches up to here were handed out.
    private(set) var head: Int64
    /// Who waits to read the log or the ring.
    var readQueue: [Subscriber] = []
    var isReadScheduled = false
    /// Who reads the log at this moment, by ticket.
    var reading: [Int: Subscriber] = [:]
    /// Who waits for one of the places to read the log.
    var waitingForLog: [Subscriber] = []
    var nextTicket = 0
    var wheel = KeepAliveWheel()
    var timer: RepeatedTask?
    let fanout: Fanout
    /// Whose end is known and not reached: nothing for them has to come for the head to get there.
    private var ending: [ObjectIdentifier: Subscriber] = [:]
    private var turn: UInt64 = 0
    private var touched: [Subscriber] = []

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
        subscriber.phase = wheel.nextPhase()
        fanout.metrics.streamOpened()
        startTimer()
        if subscriber.machine.end != nil { ending[ObjectIdentifier(subscriber)] = subscriber }
        perform(subscriber.machine.advance(head: head, isWritable: subscriber.isWritable), for: subscriber)
    }

    /// Says goodbye as far as the connection takes it, and closes.
    func close(_ subscriber: Subscriber, _ reason: CloseReason) {
        perform(subscriber.machine.close(reason), for: subscriber)
    }

    /// The connection is gone already.
    func detach(_ subscriber: Subscriber, _ reason: CloseReason) {
        if case .close(let reason) = subscriber.machine.close(reason) { forget(subscriber, reason) }
    }

    func becameWritable(_ subscriber: Subscriber) {
        perform(subscriber.machine.advance(head: head, isWritable: true), for: subscriber)
    }

    func perform(_ action: SubscriptionStateMachine.Action, for subscriber: Subscriber) {
        switch action {
        case .none, .deliver: break
        case .read: enqueueRead(subscriber)
        case .close(let reason):
            forget(subscriber, reason)
            subscriber.sink?.end(reason, head: head)
        }
    }

    private func forget(_ subscriber: Subscriber, _ reason: CloseReason) {
        guard let slot = subscriber.slot else { return }
        subscriber.slot = nil
        index.remove(slot)
        ending[ObjectIdentifier(subscriber)] = nil
        mailbox.leave()
        fanout.metrics.streamClosed(reason)
        fanout.logger.debug("stream closed", metadata: ["stream.reason": "\(reason.rawValue)"])
        if index.count == 0 { stopTimer() }
    }

    // MARK: - A turn

    /// Hands out what was published since the last turn.
    func deliver() {
        let delivery = mailbox.take()
        guard !delivery.isOverrun else { return catchUpAll(head: delivery.head) }
        guard var batches = FrameTurn(delivery.batches) else { return }
        turn += 1
        for (position, frame) in batches.frames.enumerated() {
            index.forEachSubscriber(of: frame.draft) { subscriber in
                offer(frame, at: position, of: &batches, to: subscriber)
            }
        }
        head = batches.through
        let reached = touched
        touched.removeAll(keepingCapacity: true)
        for subscriber in reached {
            writePending(of: &batches, to: subscriber)
            subscriber.pendingFrames = 0..<0
            subscriber.flush()
        }
        closeEnded()
    }

    /// Closes those whose end the head has reached. Who is not live asks for itself when it has caught up.
    private func closeEnded() {
        for subscriber in ending.values where subscriber.machine.isLive {
            perform(subscriber.machine.advance(head: head, isWritable: subscriber.isWritable), for: subscriber)
        }
    }

    private func offer(_ frame: Frame, at position: Int, of batches: inout FrameTurn, to subscriber: Subscriber) {
        if subscriber.turn != turn {
            subscriber.turn = turn
            subscriber.isDelivering = false
            let action = subscriber.machine.batch(after: batches.after, isWritable: subscriber.isWritable)
            if case .deliver(let after) = action {
                subscriber.isDelivering = true
                subscriber.deliverAfter = after
                touched.append(subscriber)
            }
        }
        guard subscriber.isDelivering, frame.position > subscriber.deliverAfter,
            frame.position > subscriber.topics.filterEnd || subscriber.topics.wants(frame)
        else { return }
        if subscriber.pendingFrames.upperBound != position || subscriber.pendingFrames.isEmpty {
            writePending(of: &batches, to: subscriber)
            subscriber.pendingFrames = position..<position + 1
        } else {
            subscriber.pendingFrames = subscriber.pendingFrames.lowerBound..<position + 1
        }
        noteEnd(of: frame, for: subscriber, head: batches.through)
    }

    private func writePending(of batches: inout FrameTurn, to subscriber: Subscriber) {
        guard !subscriber.pendingFrames.isEmpty else { return }
        guard subscriber.rendering == nil else {
            return render(batches.frames[subscriber.pendingFrames], to: subscriber, head: batches.through)
        }
        write(subscriber.pendingFrames, of: batches.encoded(subscriber.framing), to: subscriber)
    }

    /// Writes consecutive frames as one slice.
    func write(_ frames: Range<Int>, of encoded: EncodedFrames, to subscriber: Subscriber) {
        guard !frames.isEmpty else { return }
        subscriber.write(encoded.slice(frames))
        fanout.metrics.framesDelivered(frames.count)
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
            _ = subscriber.machine.batch(after: oldHead, isWritable: false)
            let action = subscriber.machine.advance(head: head, isWritable: subscriber.isWritable)
            perform(action, for: subscriber)
        }
    }
}
