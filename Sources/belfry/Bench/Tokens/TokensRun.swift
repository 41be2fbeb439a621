import BelfryCore
import Glibc

/// The provider, the dashboards and the deliveries beside, all at work on one thread.
struct TokensRun: ~Copyable {
    let plan: TokensPlan
    let poller = Poller()
    let listener: ProviderListener
    let address: Endpoint.Address
    var dashboards: [Dashboard] = []
    /// By run, the hub's id and when it was told.
    var runs: [(id: String, accepted: Int64)] = []
    /// From then to its first token in its first dashboard.
    var firstTokens = Histogram()
    var poster: RequestConnection
    /// The status of the poster's answer; 0: none yet.
    var posted = 0
    var answers: [ProviderAnswer] = []
    /// By run, the place in `answers` of what it asked.
    var answerOfRun: [Int?]
    var ingest: PacedIngest?
    /// When the tokens began; nil before.
    var begin: Int64?
    /// Of the tokens of all runs, those whose time has come.
    var due = 0
    /// By run, the tokens that were said.
    var said: [Int]
    /// Tokens that could not be said, since the hub had closed the run's request.
    var unsaid = 0
    /// Tokens in all dashboards.
    var received = 0
    var latency = Histogram()
    /// How late a token was said, which is this client's fault.
    var lateness = Histogram()
    var lastDelivery: Int64 = 0
    var lastProgress: Int64 = 0
    private let formats: [FanoutMark.Format]
    // Room that is used again.
    private var marks: [FanoutMark] = []
    private var text: [UInt8] = []

    /// What an index of the poller means is said by its bits from here on.
    enum Part: Int {
        case dashboard, answer, poster, ingest, listener

        static let shift = 40
        func index(_ place: Int) -> Int { rawValue << Self.shift | place }
    }

    /// The longest wait in the poller.
    static let turn: Int64 = 100_000_000

    init(plan: TokensPlan, listener: consuming ProviderListener) throws {
        let (probe, address) = try plan.hub.reach()
        close(probe)
        self.plan = plan
        self.listener = listener
        self.address = address
        poster = .init(index: Part.poster.index(0), address: address)
        answerOfRun = Array(repeating: nil, count: plan.runs)
        formats = (0..<plan.runs).map { .init(run: plan.mark &+ UInt32($0)) }
        said = Array(repeating: 0, count: plan.runs)
        ingest = plan.ingest.map { load in
            let connections = (0..<load.connections).map {
                RequestConnection(index: Part.ingest.index($0), address: address)
            }
            return PacedIngest(rate: load.rate, template: load.template, connections: connections)
        }
        poller.add(self.listener.socket, as: Part.listener.index(0))
    }

    deinit {
        for dashboard in dashboards { close(dashboard.socket) }
        for var answer in answers { answer.disconnect() }
        var (poster, ingest) = (poster, ingest)
        poster.disconnect()
        ingest?.disconnect()
    }

    /// Says and posts what is due, and takes what has come; waits for that until `end` at most.
    mutating func work(until end: Int64) {
        var now = Nanoseconds.now()
        var wait = min(Self.turn, end - now)
        if let next = sayDue() { wait = min(wait, next) }
        now = Nanoseconds.now()
        if let next = ingest?.postDue(now, poller) { wait = min(wait, next) }
        for place in 0..<poller.wait(nanoseconds: wait) {
            let index = poller[place]
            look(Part(rawValue: index >> Part.shift), index & (1 << Part.shift - 1))
        }
    }

    private mutating func look(_ part: Part?, _ place: Int) {
        switch part {
        case .dashboard: lookAtDashboard(place)
        case .answer: if answers[place].look(poller), let run = answers[place].run { greet(run, place) }
        case .poster: posted = poster.receive(poller)
        case .ingest: ingest?.receive(place, poller)
        case .listener:
            while let socket = listener.accept() {
                let index = Part.answer.index(answers.count)
                answers.append(ProviderAnswer(socket: socket, index: index))
                poller.add(socket, as: index)
            }
        case nil: break
        }
    }

    /// The first token is said at once: it measures the way from the event to a dashboard.
    private mutating func greet(_ run: Int, _ place: Int) {
        guard answerOfRun.indices.contains(run) else { return }
        answerOfRun[run] = place
        say(run)
    }

    /// Says the tokens whose time has come; how long it is until the next, nil if there is none.
    private mutating func sayDue() -> Int64? {
        guard let begin else { return nil }
        let count = plan.runs * (plan.tokensOfRun - 1)
        while due < count {
            let now = Nanoseconds.now()
            // The runs take turns, evenly spread.
            let time = begin + Int64(Double(due) * 1e9 / (plan.rate * Double(plan.runs)))
            if time > now { return time - now }
            lateness.add(nanoseconds: now - time)
            say(due % plan.runs)
            due += 1
            lastProgress = now
        }
        return nil
    }

    private mutating func say(_ run: Int) {
        guard let place = answerOfRun[run], answers[place].isOpen else {
            unsaid += 1
            return
        }
        text.removeAll(keepingCapacity: true)
        let mark = FanoutMark(number: said[run], sent: Nanoseconds.now())
        formats[run].append(mark, to: &text)
        if answers[place].say(text, poller) { said[run] += 1 } else { unsaid += 1 }
    }

    private mutating func lookAtDashboard(_ place: Int) {
        let (socket, run) = (dashboards[place].socket, dashboards[place].run)
        guard dashboards[place].state != .connecting else {
            let isSent = poller.write(socket, plan.dashboardRequest(run: runs[run].id))
            dashboards[place].state = isSent ? .asked : .closed
            if isSent { poller.watch(socket, as: place, for: .readable) } else { poller.remove(socket) }
            return
        }
        guard let bytes = poller.read(socket) else {
            dashboards[place].state = .closed
            poller.remove(socket)
            return
        }
        let now = Nanoseconds.now()
        marks.removeAll(keepingCapacity: true)
        dashboards[place].receive(bytes, formats[run], &marks)
        for mark in marks where dashboards[place].account.take(mark.number) { count(mark, place, now) }
        if dashboards[place].state == .closed { poller.remove(socket) }
    }

    private mutating func count(_ mark: FanoutMark, _ place: Int, _ now: Int64) {
        received += 1
        lastProgress = now
        if mark.number > plan.warmUp {
            latency.add(nanoseconds: now - mark.sent)
            lastDelivery = now
        } else if mark.number == 0, place < plan.runs {
            firstTokens.add(nanoseconds: now - runs[place].accepted)
        }
    }
}
