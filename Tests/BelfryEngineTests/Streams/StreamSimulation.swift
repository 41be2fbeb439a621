import BelfryCore
import BelfryEngine

/// A log, a ring and subscribers under random commits, stalls, slow reads, late arrivals and topics that are added on
/// the way, as a shard drives them.
struct StreamSimulation {
    final class Subscriber {
        /// Every topic that was asked for, and from where.
        var wishes: [(topic: Topic, after: Int64)]
        var topics: SubscriptionTopics
        var machine: SubscriptionStateMachine
        var slot: TopicIndex<Subscriber>.Slot?
        var isWritable = true
        /// A page that was asked for and has not come yet.
        var pendingRead: Int64?
        /// It was asked for before the topics changed.
        var isPageStale = false
        var received: [Int64] = []

        init(topics: [Topic], start: Int64) {
            wishes = topics.map { ($0, start) }
            self.topics = SubscriptionTopics(topics, after: start)
            machine = SubscriptionStateMachine(after: start)
        }

        /// What the subscriber should have in the end, by the plainest rule.
        func wished(_ frame: Frame) -> Bool {
            wishes.contains { $0.after < frame.position && $0.topic.covers(frame.draft) }
        }
    }

    var random: SeededGenerator
    var log: [Frame] = []
    /// Positions may jump, as after a restore.
    var nextPosition: Int64 = 1
    var head: Int64 = 0
    var ring = FrameRing<[Frame]>(framesMax: 40, bytesMax: 4000)
    var index = TopicIndex<Subscriber>()
    var subscribers: [Subscriber] = []
    let runs = (0..<4).map { RunID(at: Timestamp(milliseconds: 1), bits: (UInt64($0), UInt64($0))) }

    init(seed: UInt64) { random = SeededGenerator(state: seed) }

    mutating func step() {
        switch Int.random(in: 0..<11, using: &random) {
        case 0..<4: commit()
        case 4: if subscribers.count < 12 { subscribe() }
        case 5, 6: toggleWritability()
        case 7: if Bool.random(using: &random) { addTopics() }
        default: completeRead()
        }
    }

    /// Everybody becomes writable and all reads complete.
    mutating func settle() {
        for subscriber in subscribers {
            subscriber.isWritable = true
            perform(subscriber.machine.advance(head: head, isWritable: true), for: subscriber)
        }
        while subscribers.contains(where: { $0.pendingRead != nil }) { completeRead(mayFill: false) }
    }

    mutating func commit() {
        let frames = (0..<Int.random(in: 1...6, using: &random)).map { _ in
            defer { nextPosition += Int.random(in: 0..<30, using: &random) == 0 ? 1000 : 1 }
            return Frame(position: nextPosition, draft: randomDraft())
        }
        let after = head
        let through = frames.last?.position ?? head
        log += frames
        ring.append(after: after, through: through, frames: frames.count, bytes: 50 * frames.count, payload: frames)
        var decisions: [ObjectIdentifier: SubscriptionStateMachine.Action] = [:]
        for frame in frames {
            index.forEachSubscriber(of: frame.draft) { subscriber in
                let key = ObjectIdentifier(subscriber)
                if decisions[key] == nil {
                    decisions[key] = subscriber.machine.batch(after: after, isWritable: subscriber.isWritable)
                }
                if case .deliver(let start) = decisions[key], frame.position > start, subscriber.topics.wants(frame) {
                    subscriber.received.append(frame.position)
                }
            }
        }
        head = through
    }

    mutating func subscribe() {
        let topics = randomTopics()
        let subscriber = Subscriber(topics: topics, start: randomStart())
        subscriber.slot = index.insert(subscriber, topics: topics)
        subscribers.append(subscriber)
        perform(subscriber.machine.advance(head: head, isWritable: true), for: subscriber)
    }

    private mutating func addTopics() {
        guard let subscriber = subscribers.randomElement(using: &random), let slot = subscriber.slot,
            let cursor = subscriber.machine.cursor(head: head)
        else { return }
        let topics = randomTopics()
        let start = randomStart()
        subscriber.wishes += topics.map { ($0, start) }
        subscriber.topics.add(topics, after: start, cursor: cursor)
        subscriber.machine.rewind(to: start, head: head)
        subscriber.isPageStale = subscriber.pendingRead != nil
        index.remove(slot)
        subscriber.slot = index.insert(subscriber, topics: subscriber.topics.topics)
        perform(subscriber.machine.advance(head: head, isWritable: subscriber.isWritable), for: subscriber)
    }

    private mutating func randomTopics() -> [Topic] {
        let all: [Topic] =
            [.runs, .everyRun, .alerts, .rule("a"), .rule("b"), .source("s"), .custom("c")] + runs.map(Topic.run)
        return (0..<Int.random(in: 1...4, using: &random)).map { _ in all.randomElement(using: &random) ?? .runs }
    }

    /// Also positions a little ahead of the shard, as a snapshot's can be.
    private mutating func randomStart() -> Int64 {
        min(Int64.random(in: 0...(head + 3), using: &random), nextPosition + 2)
    }

    mutating func toggleWritability() {
        guard let subscriber = subscribers.randomElement(using: &random) else { return }
        subscriber.isWritable.toggle()
        if subscriber.isWritable {
            perform(subscriber.machine.advance(head: head, isWritable: true), for: subscriber)
        }
    }

    mutating func completeRead(mayFill: Bool = true) {
        let reading = subscribers.filter { $0.pendingRead != nil }
        guard let subscriber = reading.randomElement(using: &random), let after = subscriber.pendingRead else { return }
        subscriber.pendingRead = nil
        if subscriber.isPageStale {
            subscriber.isPageStale = false
            subscriber.pendingRead = subscriber.machine.cursor(head: head)
            return
        }
        let (frames, through) = page(after: after, for: subscriber)
        if case .deliver(let start) = subscriber.machine.page(through: through) {
            subscriber.received += frames.map(\.position).filter { $0 > start }
        }
        // The page may have filled the connection.
        if mayFill, Int.random(in: 0..<4, using: &random) == 0 { subscriber.isWritable = false }
        perform(subscriber.machine.advance(head: head, isWritable: subscriber.isWritable), for: subscriber)
    }

    /// A bounded page from the ring, else from the log.
    private mutating func page(after: Int64, for subscriber: Subscriber) -> (frames: [Frame], through: Int64) {
        let most = Int.random(in: 1...5, using: &random)
        let source = ring.batches(after: after)?.flatMap(\.payload) ?? log
        let rest = source.lazy.filter { $0.position > after && subscriber.topics.wants($0) }
        let frames = Array(rest.prefix(most + 1))
        guard frames.count > most else { return (frames, head) }
        return (Array(frames.prefix(most)), frames[most - 1].position)
    }

    private mutating func perform(_ action: SubscriptionStateMachine.Action, for subscriber: Subscriber) {
        if case .read(let after) = action { subscriber.pendingRead = after }
    }

    private mutating func randomDraft() -> DraftFrame {
        let run = runs.randomElement(using: &random)
        let rule = Bool.random(using: &random) ? "a" : "b"
        func draft(_ topic: Topic, run: RunID? = nil, type: FrameType = .custom) -> DraftFrame {
            DraftFrame(time: Timestamp(milliseconds: 0), topic: topic, run: run, rule: rule, type: type, data: .null)
        }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return draft(.runs, run: run, type: .runState)
        case 1: return draft(.alerts, type: .notice)
        case 2: return draft(.source("s"), type: .event)
        case 3: return draft(.custom("c"))
        default: return draft(run.map(Topic.run) ?? .runs, run: run, type: .textMessageContent)
        }
    }
}

/// A small random generator that repeats itself from its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
