import BelfryCore
import Glibc

/// Subscribers and publishers at work, all on one thread: what is published must reach each subscriber once and in
/// order. Once all are connected nothing is allocated for a delivery.
struct FanoutRun: ~Copyable {
    let plan: FanoutPlan
    let poller = Poller()
    let address: Endpoint.Address
    var subscribers: [FanoutSubscriber] = []
    var publishers: [RequestConnection] = []
    /// The next message of all.
    var next = 0
    var phase = FanoutPhase(first: 0, begin: 0, readers: [0])
    /// Subscribers at the front that are counted; behind them are slow ones.
    var counted = 0
    var nextSlowTurn: Int64 = 0
    // Room that is used again.
    private var marks: [FanoutMark] = []
    private var reply: [UInt8] = []
    var request: [UInt8] = []
    var body: [UInt8] = []

    /// Publishers are told from subscribers by their index.
    static let publisherIndex = 1 << 40
    /// Connections that may be on their way at the same time: a listener's queue is short.
    static let connectingMax = 128
    static let connectPatience: Int64 = 20_000_000_000
    /// How often the slow ones read, and the patience is looked at.
    static let turn: Int64 = 100_000_000

    init(plan: FanoutPlan) throws {
        let (probe, address) = try plan.wire.subscribeAt.reach()
        close(probe)
        let (publish, publishAddress) = try plan.wire.publishAt.reach()
        close(publish)
        self.plan = plan
        self.address = address
        publishers = (0..<plan.publishers).map { .init(index: Self.publisherIndex + $0, address: publishAddress) }
    }

    deinit {
        for subscriber in subscribers { close(subscriber.socket) }
    }

    /// Connects and subscribes so many more. Throws if the server refuses one or does not answer.
    mutating func connect(_ count: Int) throws {
        let end = subscribers.count + count
        var deadline = Nanoseconds.now() + Self.connectPatience
        var open = subscribers.count
        while open < end {
            while subscribers.count < end, subscribers.count - open < Self.connectingMax { try dial() }
            guard Nanoseconds.now() < deadline else {
                throw Failure(
                    .unreachable, "\(open) of \(end) subscribers are connected, and the next got no answer in 20 s")
            }
            for place in 0..<poller.wait(nanoseconds: Self.turn) {
                let index = poller[place]
                guard index < Self.publisherIndex else {
                    receiveAnswer(index)
                    continue
                }
                guard try advance(index) else { continue }
                open += 1
                deadline = Nanoseconds.now() + Self.connectPatience
            }
        }
    }

    private mutating func dial() throws {
        let index = subscribers.count
        guard let socket = address.connect(waits: false) else {
            let limit = errno == EMFILE ? "; raise the limit of open files (ulimit -n)" : ""
            throw Failure(.unreachable, "subscriber \(index + 1) cannot connect: \(LocalFile.lastError())\(limit)")
        }
        subscribers.append(FanoutSubscriber(socket: socket, topic: index % plan.topics.count))
        poller.add(socket, as: index, for: .writable)
    }

    /// Something happened at a subscriber. Whether its subscription holds from now on.
    private mutating func advance(_ index: Int) throws -> Bool {
        switch subscribers[index].state {
        case .connecting:
            let socket = subscribers[index].socket
            guard poller.write(socket, plan.subscribeRequest(topic: subscribers[index].topic)) else {
                throw Failure(.unreachable, "subscriber \(index + 1) cannot connect: \(LocalFile.lastError())")
            }
            subscribers[index].state = .asked
            poller.watch(socket, as: index, for: .readable)
        case .asked:
            receive(index, at: Nanoseconds.now())
            if subscribers[index].state == .closed { throw refusal(subscribers[index].status) }
            return subscribers[index].state == .open
        case .open, .closed: receive(index, at: Nanoseconds.now())
        }
        return false
    }

    private func refusal(_ status: Int) -> Failure {
        let expected = plan.isWebSocket ? 101 : 200
        return status == 0 || status == expected
            ? Failure(.unreachable, "a subscriber's connection was closed before its subscription held")
            : Failure(.refused, "a subscription was answered with \(status) instead of \(expected)")
    }

    /// Reads what has come for a subscriber.
    /// - Parameter most: bytes that it reads at most.
    mutating func receive(_ index: Int, at now: Int64, most: Int = .max) {
        let socket = subscribers[index].socket
        guard let bytes = poller.read(socket, most: most) else {
            hangUp(index)
            return
        }
        marks.removeAll(keepingCapacity: true)
        reply.removeAll(keepingCapacity: true)
        subscribers[index].receive(bytes, plan, &marks, &reply)
        if !reply.isEmpty { _ = poller.write(socket, reply) }
        let topic = subscribers[index].topic
        let end = phase.endNumber(topic: topic), first = phase.firstNumber(topic: topic)
        for mark in marks where mark.number >= first && mark.number < end {
            guard subscribers[index].account.take(mark.number), index < counted else { continue }
            _ = phase.deliver(mark, topic: topic, at: now)
        }
        if subscribers[index].state == .closed { poller.remove(socket) }
    }

    private mutating func hangUp(_ index: Int) {
        subscribers[index].state = .closed
        poller.remove(subscribers[index].socket)
    }

    mutating func receiveAnswer(_ index: Int) {
        let status = publishers[index - Self.publisherIndex].receive(poller)
        if status != 0 { phase.answered(status, at: Nanoseconds.now()) }
    }
}
