import BelfryCore
import BelfryEngine
import NIOCore

/// Catching up: from the ring if it reaches back far enough, else page by page from the log.
extension FanoutShard {
    /// Each subscriber reads one page a turn, so that many who reconnect do not hold up those who are live.
    func enqueueRead(_ subscriber: Subscriber) {
        guard !subscriber.isQueuedToRead else { return }
        subscriber.isQueuedToRead = true
        readQueue.append(subscriber)
        scheduleReads()
    }

    private func scheduleReads() {
        guard !isReadScheduled, !readQueue.isEmpty else { return }
        isReadScheduled = true
        loop.assumeIsolated().execute { self.runReads() }
    }

    private func runReads() {
        isReadScheduled = false
        var read = 0
        while read < Limits.catchUpReadersPerTurnMax, let subscriber = readQueue.popFirst() {
            read += 1
            subscriber.isQueuedToRead = false
            guard case .catchingUp(let cursor, isReading: true) = subscriber.machine.state else { continue }
            if subscriber.topics.isEmpty {
                pageDelivered(through: head, to: subscriber)
            } else if !subscriber.isSentHistory(after: cursor), let batches = fanout.recentBatches(after: cursor) {
                subscriber.rendering == nil
                    ? readRing(batches, after: cursor, for: subscriber)
                    : renderRing(batches, after: cursor, for: subscriber)
            } else {
                waitingForLog.append(subscriber)
            }
        }
        startLogReads()
        guard !readQueue.isEmpty else { return }
        isReadScheduled = true
        loop.assumeIsolated().scheduleTask(in: Self.pause) { self.runReads() }
    }

    // MARK: - The ring

    private func readRing(_ batches: [FrameBatch], after cursor: Int64, for subscriber: Subscriber) {
        var count = 0
        gathered.removeAll(keepingCapacity: true)
        let through = walk(batches, after: cursor, for: subscriber) { batch in
            batch.encoded(subscriber.framing)
        } take: { encoded, index, frame in
            encoded.append(index, to: &gathered)
            count += 1
            noteEnd(of: frame, for: subscriber, head: head)
            return gathered.count
        }
        if count > 0 { sendGathered(frames: count, to: subscriber) }
        pageDelivered(through: through, to: subscriber)
    }

    private func renderRing(_ batches: [FrameBatch], after cursor: Int64, for subscriber: Subscriber) {
        var frames: [Frame] = []
        var bytes = 0
        let through = walk(batches, after: cursor, for: subscriber) { _ in
        } take: { _, _, frame in
            frames.append(frame)
            bytes += frame.draft.data.bytes.count
            return bytes
        }
        render(frames, to: subscriber, head: head)
        pageDelivered(through: through, to: subscriber)
    }

    /// Looks through recent batches for what a subscriber wants, as far as one turn goes. Inlined, so that a frame
    /// costs no call of a closure.
    /// - Parameters:
    ///   - open: makes of a batch what `take` needs of it.
    ///   - take: takes the frame at an index of its batch, and says how many bytes were taken with it.
    /// - Returns: the position up to which everything was looked at.
    @inline(__always)
    private func walk<Opened>(
        _ batches: [FrameBatch], after cursor: Int64, for subscriber: Subscriber, open: (FrameBatch) -> Opened,
        take: (Opened, _ index: Int, Frame) -> Int
    ) -> Int64 {
        var looked = 0
        var bytes = 0
        for batch in batches where batch.after < head {
            let opened = open(batch)
            for (index, frame) in batch.frames.enumerated() where frame.position > cursor && frame.position <= head {
                looked += 1
                if subscriber.topics.wants(frame) { bytes = take(opened, index, frame) }
                if looked >= Limits.catchUpFramesPerTurnMax || bytes >= Limits.catchUpBytesPerTurnMax {
                    return frame.position
                }
            }
        }
        return head
    }

    // MARK: - The log

    private func startLogReads() {
        while reading.count < Limits.logReadersPerShard, let subscriber = waitingForLog.popFirst() {
            guard case .catchingUp(let cursor, isReading: true) = subscriber.machine.state else { continue }
            guard !subscriber.topics.isEmpty else {
                pageDelivered(through: head, to: subscriber)
                continue
            }
            nextTicket += 1
            reading[nextTicket] = subscriber
            subscriber.isReadingLog = true
            fanout.read(
                Fanout.PageRequest(
                    loop: loop, ticket: nextTicket, after: cursor, through: head, topics: subscriber.topics.topics
                )
            )
        }
    }

    /// The answer to a page request; nil if the log could not be read.
    func pageArrived(ticket: Int, _ page: StreamPage?) {
        guard let subscriber = reading.removeValue(forKey: ticket) else { return }
        defer { startLogReads() }
        subscriber.isReadingLog = false
        if subscriber.isPageStale {
            subscriber.isPageStale = false
            return enqueueRead(subscriber)
        }
        guard case .catchingUp(let cursor, isReading: true) = subscriber.machine.state else { return }
        guard let page else { return close(subscriber, .logUnavailable) }
        let filterEnd = subscriber.topics.filterEnd
        var frames = page.frames.filter {
            $0.position > cursor && ($0.position > filterEnd || subscriber.topics.wants($0))
        }
        for frame in frames { noteEnd(of: frame, for: subscriber, head: max(head, page.through)) }
        if !page.floors.isEmpty, let holes = subscriber.topics.holes(page.floors, cursor: cursor) {
            let position = frames.first.map { $0.position - 1 } ?? page.through
            frames.insert(fanout.gapFrame(holes, position: position), at: 0)
        }
        if subscriber.rendering != nil {
            render(frames, to: subscriber, head: max(head, page.through))
        } else {
            let encoded = EncodedFrames(
                frames, framing: subscriber.framing, withoutIDsThrough: subscriber.topics.historyEnd
            )
            subscriber.send(encoded.slice(0..<frames.count))
            written(frames.count, to: subscriber)
        }
        pageDelivered(through: page.through, to: subscriber)
    }

    func pageDelivered(through: Int64, to subscriber: Subscriber) {
        _ = subscriber.machine.page(through: through)
        proceed(subscriber)
    }
}
