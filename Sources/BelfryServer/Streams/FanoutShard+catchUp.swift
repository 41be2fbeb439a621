import BelfryCore
import BelfryEngine
import NIOCore

/// Catching up: from the ring if it reaches back far enough, else page by page from the log.
extension FanoutShard {
    /// Each subscriber reads one page a turn, so that many who reconnect do not hold up those who are live.
    func enqueueRead(_ subscriber: StreamHandler) {
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
        let turn = readQueue.prefix(16)
        readQueue.removeFirst(turn.count)
        for subscriber in turn {
            subscriber.isQueuedToRead = false
            guard case .catchingUp(let cursor, isReading: true) = subscriber.machine.state else { continue }
            if let batches = fanout.recentBatches(after: cursor) {
                readRing(batches, after: cursor, for: subscriber)
            } else {
                waitingForLog.append(subscriber)
            }
        }
        startLogReads()
        scheduleReads()
    }

    // MARK: - The ring

    private func readRing(_ batches: [FrameBatch], after cursor: Int64, for subscriber: StreamHandler) {
        var through = head
        var looked = 0
        var bytes = 0
        read: for batch in batches where batch.after < head {
            let encoded = batch.encoded(subscriber.framing)
            var run = 0..<0
            for (position, frame) in batch.frames.enumerated() where frame.position > cursor && frame.position <= head {
                looked += 1
                if subscriber.topics.contains(where: { $0.covers(frame.draft) }) {
                    run = run.isEmpty || run.upperBound != position ? flush(run, of: encoded, to: subscriber, next: position)
                        : run.lowerBound..<position + 1
                    bytes += encoded.bytes(of: position)
                    noteEnd(of: frame, for: subscriber, head: head)
                }
                if looked >= Limits.catchUpFramesPerTurnMax || bytes >= Limits.catchUpBytesPerTurnMax {
                    through = frame.position
                    _ = flush(run, of: encoded, to: subscriber, next: 0)
                    break read
                }
            }
            _ = flush(run, of: encoded, to: subscriber, next: 0)
        }
        subscriber.flush()
        pageDelivered(through: through, to: subscriber)
    }

    /// Writes a run of frames and begins the next one.
    private func flush(
        _ run: Range<Int>, of encoded: EncodedFrames, to subscriber: StreamHandler, next: Int
    ) -> Range<Int> {
        if !run.isEmpty {
            subscriber.write(encoded.slice(run))
            fanout.metrics.framesDelivered(run.count)
        }
        return next..<next + 1
    }

    // MARK: - The log

    private func startLogReads() {
        while reading.count < Limits.logReadersPerShard, !waitingForLog.isEmpty {
            let subscriber = waitingForLog.removeFirst()
            guard case .catchingUp(let cursor, isReading: true) = subscriber.machine.state else { continue }
            nextTicket += 1
            reading[nextTicket] = subscriber
            fanout.read(
                Fanout.PageRequest(
                    loop: loop, ticket: nextTicket, after: cursor, through: head, topics: subscriber.topics
                )
            )
        }
    }

    /// The answer to a page request; nil if the log could not be read.
    func pageArrived(ticket: Int, _ page: StreamPage?) {
        guard let subscriber = reading.removeValue(forKey: ticket) else { return }
        defer { startLogReads() }
        guard case .catchingUp(let cursor, isReading: true) = subscriber.machine.state else { return }
        guard let page else { return close(subscriber, .logUnavailable) }
        let frames = page.frames.filter { $0.position > cursor }
        for frame in frames { noteEnd(of: frame, for: subscriber, head: max(head, page.through)) }
        let encoded = EncodedFrames(frames, framing: subscriber.framing)
        subscriber.write(encoded.slice(0..<frames.count))
        subscriber.flush()
        fanout.metrics.framesDelivered(frames.count)
        pageDelivered(through: page.through, to: subscriber)
    }

    private func pageDelivered(through: Int64, to subscriber: StreamHandler) {
        _ = subscriber.machine.page(through: through)
        perform(subscriber.machine.advance(head: head, isWritable: subscriber.isWritable), for: subscriber)
    }
}
