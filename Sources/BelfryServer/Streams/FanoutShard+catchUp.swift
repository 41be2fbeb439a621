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
        let turn = readQueue.prefix(16)
        readQueue.removeFirst(turn.count)
        for subscriber in turn {
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
        scheduleReads()
    }

    // MARK: - The ring

    private func readRing(_ batches: [FrameBatch], after cursor: Int64, for subscriber: Subscriber) {
        var through = head
        var looked = 0
        var bytes = 0
        read: for batch in batches where batch.after < head {
            let encoded = batch.encoded(subscriber.framing)
            var run = 0..<0
            for (position, frame) in batch.frames.enumerated() where frame.position > cursor && frame.position <= head {
                looked += 1
                if subscriber.topics.wants(frame) {
                    if run.isEmpty || run.upperBound != position {
                        write(run, of: encoded, to: subscriber)
                        run = position..<position
                    }
                    run = run.lowerBound..<position + 1
                    bytes += encoded.bytes(of: position)
                    noteEnd(of: frame, for: subscriber, head: head)
                }
                if looked >= Limits.catchUpFramesPerTurnMax || bytes >= Limits.catchUpBytesPerTurnMax {
                    through = frame.position
                    write(run, of: encoded, to: subscriber)
                    break read
                }
            }
            write(run, of: encoded, to: subscriber)
        }
        subscriber.flush()
        pageDelivered(through: through, to: subscriber)
    }

    // MARK: - The log

    private func startLogReads() {
        while reading.count < Limits.logReadersPerShard, !waitingForLog.isEmpty {
            let subscriber = waitingForLog.removeFirst()
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
            write(0..<frames.count, of: encoded, to: subscriber)
        }
        subscriber.flush()
        pageDelivered(through: page.through, to: subscriber)
    }

    func pageDelivered(through: Int64, to subscriber: Subscriber) {
        _ = subscriber.machine.page(through: through)
        perform(subscriber.machine.advance(head: head, isWritable: subscriber.isWritable), for: subscriber)
    }
}
