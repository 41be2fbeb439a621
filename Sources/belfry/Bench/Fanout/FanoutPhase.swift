/// One stretch of a run: the messages that are published in it, and how far each has got.
struct FanoutPhase {
    /// Of all messages of the run, the first of this stretch.
    let first: Int
    let begin: Int64
    /// Subscribers that each message of a topic has to reach, by topic.
    private let readers: [Int]
    private(set) var published = 0
    private(set) var refused = 0
    private(set) var deliveries = 0
    private(set) var latency = Histogram()
    private(set) var lastDelivery: Int64
    /// When something last happened that brings it nearer to its end.
    private(set) var lastProgress: Int64
    /// Per message, how many subscribers it still has to reach.
    private var remaining: [Int32] = []
    private var expected = 0
    /// Messages that have reached all.
    private var complete = 0

    init(first: Int, begin: Int64, readers: [Int]) {
        (self.first, self.begin, self.readers) = (first, begin, readers)
        (lastDelivery, lastProgress) = (begin, begin)
    }

    var underWay: Int { published - complete }
    var hasAll: Bool { deliveries >= expected }
    var seconds: Double { Double(lastDelivery - begin) / 1e9 }

    /// The number within its topic that the first message of this stretch has.
    func firstNumber(topic: Int) -> Int { number(of: first, topic) }
    /// One more than the number of the last.
    func endNumber(topic: Int) -> Int { number(of: first + published, topic) }

    /// The number of the first message of `topic` from `message` on: they take turns.
    private func number(of message: Int, _ topic: Int) -> Int { (message - topic + readers.count - 1) / readers.count }

    mutating func publish(topic: Int, at now: Int64) {
        published += 1
        remaining.append(Int32(readers[topic]))
        expected += readers[topic]
        if readers[topic] == 0 { complete += 1 }
        lastProgress = now
    }

    mutating func answered(_ status: Int, at now: Int64) {
        if !(200..<300).contains(status) { refused += 1 }
        lastProgress = now
    }

    /// A message has reached one more subscriber. False: it is none of this stretch.
    mutating func deliver(_ mark: FanoutMark, topic: Int, at now: Int64) -> Bool {
        let place = mark.number * readers.count + topic - first
        guard remaining.indices.contains(place) else { return false }
        deliveries += 1
        latency.add(nanoseconds: now - mark.sent)
        (lastDelivery, lastProgress) = (now, now)
        remaining[place] -= 1
        if remaining[place] == 0 { complete += 1 }
        return true
    }
}
