import BelfryCore
import Glibc

extension FanoutRun {
    /// Publishes until the goal is reached and everything has come, or nothing comes any more.
    mutating func measure(_ goal: FanoutPlan.Goal) -> FanoutPhase {
        begin()
        let patience = plan.patience.nanoseconds
        while true {
            let now = Nanoseconds.now()
            let wait = publishDue(goal, now)
            let isPublished = hasPublished(goal, now)
            if isPublished, phase.hasAll, !publishers.contains(where: \.isBusy) { break }
            if now - phase.lastProgress > patience + (isPublished ? 0 : max(0, wait ?? 0)) { break }
            for place in 0..<poller.wait(nanoseconds: min(wait ?? Self.turn, Self.turn)) {
                let index = poller[place]
                if index >= Self.publisherIndex { receiveAnswer(index) } else { look(index) }
            }
            if Nanoseconds.now() >= nextSlowTurn { takeSlowTurn() }
        }
        next += phase.published
        // What an answer is still missing for is over: the next stretch begins afresh.
        for index in publishers.indices where publishers[index].isBusy { publishers[index].disconnect() }
        return phase
    }

    private mutating func begin() {
        let topics = plan.topics.count
        // Subscribers take turns at the topics, as messages do.
        let readers = (0..<topics).map { counted / topics + ($0 < counted % topics ? 1 : 0) }
        phase = FanoutPhase(first: next, begin: Nanoseconds.now(), readers: readers)
        for index in subscribers.indices {
            subscribers[index].account = DeliveryAccount(first: phase.firstNumber(topic: subscribers[index].topic))
        }
    }

    private func hasPublished(_ goal: FanoutPlan.Goal, _ now: Int64) -> Bool {
        switch goal {
        case .messages(let count): phase.published >= count
        case .nanoseconds(let duration): now - phase.begin >= duration
        }
    }

    /// Publishes what is due; how long it is until something is, nil if that depends on what comes.
    private mutating func publishDue(_ goal: FanoutPlan.Goal, _ now: Int64) -> Int64? {
        while !hasPublished(goal, now) {
            let topic = (phase.first + phase.published) % plan.topics.count
            let publisher = topic % publishers.count
            guard !publishers[publisher].isBusy else { return nil }
            var due = now
            switch plan.pace {
            case .rate(let rate):
                due = phase.begin + Int64(Double(phase.published) * 1e9 / rate)
                if due > now { return due - now }
            case .window(let window): if phase.underWay >= window { return nil }
            }
            let mark = FanoutMark(number: phase.endNumber(topic: topic), sent: due)
            plan.publishRequest(mark, topic: topic, into: &request, body: &body)
            phase.publish(topic: topic, at: now)
            if !publishers[publisher].send(request, poller) { phase.answered(-1, at: now) }
        }
        return nil
    }

    private mutating func look(_ index: Int) {
        if index < counted {
            receive(index, at: Nanoseconds.now())
        } else {
            // A slow one is watched for its end alone; it may have more to read.
            poller.remove(subscribers[index].socket)
            if slowBytes == 0 { subscribers[index].state = .closed }
        }
    }

    private var slowBytes: Int { plan.slow?.bytesPerSecond ?? 0 }

    private mutating func takeSlowTurn() {
        nextSlowTurn = Nanoseconds.now() + Self.turn
        let most = slowBytes / Int(1_000_000_000 / Self.turn)
        guard most > 0 else { return }
        for index in subscribers.indices.dropFirst(counted) where subscribers[index].state == .open {
            receive(index, at: nextSlowTurn, most: most)
        }
    }

    /// Waits, reading, until nothing is on its way: what a server sends at the beginning is no load.
    mutating func settle() {
        let end = Nanoseconds.now() + 5 * Self.turn
        while case let now = Nanoseconds.now(), now < end {
            for place in 0..<poller.wait(nanoseconds: end - now) {
                let index = poller[place]
                if index >= Self.publisherIndex { receiveAnswer(index) } else { look(index) }
            }
        }
    }
}
