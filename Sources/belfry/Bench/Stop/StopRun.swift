import BelfryCore
import Glibc

/// The provider of many runs, and the operator who stops them, at work on one thread.
struct StopRun: ~Copyable {
    private let plan: TokensPlan
    private let poller = Poller()
    private let listener: ProviderListener
    private var poster: RequestConnection
    private var stopper: RequestConnection
    private var calls: CallConnection
    /// The statuses of what these two were asked; 0: no answer yet.
    private var posted = 0
    private var stopped = 0
    private var answers: [ProviderAnswer] = []
    /// By the number of a run, the place in `answers` of what it asked.
    private var place: [Int: Int] = [:]
    /// By place in `answers`, when its socket was seen to be closed.
    private var closed: [Int: Int64] = [:]
    /// By slot, the run that is live there.
    private var live: [(id: String, number: Int)] = []
    private var started = 0
    /// Tokens whose time has come, from `begin` on.
    private var begin = Nanoseconds.now()
    private var due = 0
    private var report = StopReport()

    private enum Part: Int {
        case answer, poster, stopper, calls, listener

        static let shift = 40
        func index(_ place: Int = 0) -> Int { rawValue << Self.shift | place }
    }

    /// The hub answers within this, or the benchmark gives up.
    private static let patience: Int64 = 20_000_000_000

    init(plan: TokensPlan, listener: consuming ProviderListener) throws {
        let (probe, address) = try plan.hub.reach()
        close(probe)
        self.plan = plan
        self.listener = listener
        poster = .init(index: Part.poster.index(), address: address)
        stopper = .init(index: Part.stopper.index(), address: address)
        calls = .init(
            address: address, index: Part.calls.index(), request: plan.upgradeRequest, poller)
        poller.add(self.listener.socket, as: Part.listener.index())
    }

    deinit {
        for var answer in answers { answer.disconnect() }
        var (poster, stopper, calls) = (poster, stopper, calls)
        poster.disconnect()
        stopper.disconnect()
        calls.disconnect()
    }

    /// Starts the runs, stops so many of them one by one, then all that are live.
    /// - Parameter progress: told what begins.
    mutating func measure(stops: Int, _ progress: (String) -> Void) throws -> StopReport {
        let end = Nanoseconds.now() + Self.patience
        while !calls.isReady {
            guard !calls.isClosed, Nanoseconds.now() < end else {
                throw Failure(.refused, "the hub opens no WebSocket; the token needs the role operator")
            }
            work(until: end)
        }
        progress("starting \(plan.runs) runs")
        for slot in 0..<plan.runs { live.append(try start(slot)) }
        progress("stopping \(stops) runs")
        (begin, due, report) = (Nanoseconds.now(), 0, StopReport())
        for number in 0..<stops {
            let slot = number % plan.runs
            try stop(slot, overREST: number % 2 == 0)
            live[slot] = try start(slot)
        }
        progress("stopping all")
        try stopAll()
        return report
    }

    /// Posts the event, and waits for the run to ask the provider.
    private mutating func start(_ slot: Int) throws -> (id: String, number: Int) {
        let number = started
        started += 1
        posted = 0
        guard poster.send(plan.eventRequest(run: number), poller) else {
            throw Failure(.unreachable, "the hub takes no events: \(LocalFile.lastError())")
        }
        try work("an event got no answer") { $0.posted != 0 }
        let answer = (try? JSONValue(parsing: poster.answer)) ?? .null
        guard (200..<300).contains(posted), let id = answer["runs"]?.array?.first?.string else {
            throw Failure(.refused, "an event was answered with \(posted), and started no run: \(answer.text)")
        }
        try work(
            "\(id) did not ask the provider: limits.runs_running and outbound.allow_private of the hub must allow it"
        ) { $0.place[number] != nil }
        return (id, number)
    }

    private mutating func stop(_ slot: Int, overREST isREST: Bool) throws {
        let (id, number) = live[slot]
        guard let at = place[number] else { return }
        let began = Nanoseconds.now()
        let answer: JSONValue
        if isREST {
            stopped = 0
            guard stopper.send(plan.stopRequest(run: id), poller) else {
                throw Failure(.unreachable, "the hub takes no stops: \(LocalFile.lastError())")
            }
            try work("a stop got no answer") { $0.stopped != 0 }
            answer = (try? JSONValue(parsing: stopper.answer)) ?? .null
        } else {
            guard calls.call("run.stop", ["run": .string(id)], poller) else {
                throw Failure(.unreachable, "the hub takes no calls: \(LocalFile.lastError())")
            }
            try work("a call got no answer") { $0.calls.answer != nil || $0.calls.isClosed }
            answer = calls.answer?["result"] ?? .null
        }
        let time = Nanoseconds.now() - began
        report.all.add(nanoseconds: time)
        if isREST { report.rest.add(nanoseconds: time) } else { report.webSocket.add(nanoseconds: time) }
        if answer["result"]?.string != "applied" { report.notApplied += 1 }
        // Whatever the hub has closed before it answered is closed here, too.
        look(at)
        if answers[at].isOpen {
            report.openAtAnswer += 1
            try? work("the socket stays open") { !$0.answers[at].isOpen }
        }
        report.closed.add(nanoseconds: (closed[at] ?? Nanoseconds.now()) - began)
    }

    private mutating func stopAll() throws {
        stopped = 0
        let began = Nanoseconds.now()
        guard stopper.send(plan.stopAllRequest, poller) else {
            throw Failure(.unreachable, "the hub takes no stops: \(LocalFile.lastError())")
        }
        try work("stopping all got no answer") { $0.stopped != 0 }
        report.together = (plan.runs, .nanoseconds(Nanoseconds.now() - began))
        let answer = (try? JSONValue(parsing: stopper.answer)) ?? .null
        report.notApplied += plan.runs - Int(answer["stopped"]?.number?.int64 ?? 0)
        for run in live {
            guard let at = place[run.number] else { continue }
            look(at)
            if answers[at].isOpen { report.openAtAnswer += 1 }
        }
    }

    // MARK: - At work

    /// Until something is so.
    private mutating func work(_ silence: String, until isDone: (borrowing StopRun) -> Bool) throws {
        let end = Nanoseconds.now() + Self.patience
        while !isDone(self) {
            guard Nanoseconds.now() < end else { throw Failure(.unreachable, "\(silence) in 20 s") }
            work(until: end)
        }
    }

    /// Says what is due, and takes what has come; waits for that a little.
    private mutating func work(until end: Int64) {
        var wait = min(TokensRun.turn, end - Nanoseconds.now())
        if let next = sayDue() { wait = min(wait, next) }
        for place in 0..<poller.wait(nanoseconds: wait) {
            let index = poller[place]
            switch Part(rawValue: index >> Part.shift) {
            case .answer: look(index & (1 << Part.shift - 1))
            case .poster: posted = poster.receive(poller)
            case .stopper: stopped = stopper.receive(poller)
            case .calls: calls.receive(poller)
            case .listener:
                while let socket = listener.accept() {
                    let index = Part.answer.index(answers.count)
                    answers.append(ProviderAnswer(socket: socket, index: index))
                    poller.add(socket, as: index)
                }
            case nil: break
            }
        }
    }

    private mutating func look(_ at: Int) {
        guard answers[at].isOpen else { return }
        if answers[at].look(poller), let run = answers[at].run { place[run] = at }
        if !answers[at].isOpen { closed[at] = Nanoseconds.now() }
    }

    /// Has the runs say the tokens whose time has come; how long it is until the next.
    private mutating func sayDue() -> Int64? {
        guard !live.isEmpty else { return nil }
        while true {
            let now = Nanoseconds.now()
            let time = begin + Int64(Double(due) * 1e9 / (plan.rate * Double(live.count)))
            if time > now { return time - now }
            report.lateness.add(nanoseconds: now - time)
            if let at = place[live[due % live.count].number], answers[at].isOpen {
                if !answers[at].say(Array("word ".utf8), poller) { closed[at] = Nanoseconds.now() }
            }
            due += 1
        }
    }
}

extension TokensPlan {
    fileprivate func stopRequest(run id: String) -> [UInt8] {
        head("POST", "/v1/runs/\(id)/stop", "Content-Length: 0\r\n\r\n")
    }

    fileprivate var stopAllRequest: [UInt8] {
        let body = #"{"rule":"\#(TokensHub.name)"}"#
        return head(
            "POST", "/v1/runs/stop",
            "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    fileprivate var upgradeRequest: [UInt8] {
        head(
            "GET", "/v1/ws",
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    }
}
