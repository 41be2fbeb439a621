import BelfryCore
import Glibc

extension TokensRun {
    /// The hub answers within this, or the benchmark gives up.
    private static let answerPatience: Int64 = 20_000_000_000
    /// Dashboards that may be on their way at the same time: a listener's queue is short.
    private static let connectingMax = 128

    /// Starts the runs, opens the dashboards, has the provider talk until all is said and has come, or nothing comes.
    /// - Parameter progress: told what begins.
    mutating func measure(_ progress: (String) -> Void) throws -> TokensReport {
        if !plan.processes.isEmpty, ServerUsage.of(plan.processes) == nil {
            throw Failure(.usage, "--pid: there is no such process")
        }
        progress("starting \(plan.runs) runs")
        for run in 0..<plan.runs { try start(run) }
        progress("connecting \(plan.dashboards) dashboards")
        try connectDashboards()
        progress("\(plan.tokensOfRun - 1) tokens for each run, \(plan.rate) a second")
        let start = (server: ServerUsage.of(plan.processes), own: ServerUsage.own(), received: received)
        let now = Nanoseconds.now()
        (begin, lastProgress) = (now, now)
        ingest?.restart()
        talk()
        var report = TokensReport()
        report.seconds = Double(max(lastDelivery, now) - now) / 1e9
        let deliveries = Double(max(1, received - start.received))
        report.clientCPUPerDelivery = (ServerUsage.own() - start.own) * 1e6 / deliveries
        report.ingest = ingest?.json
        if let before = start.server, let after = ServerUsage.of(plan.processes) {
            let cpu = (after.processorSeconds - before.processorSeconds) * 1e6 / deliveries
            report.server = .init(cpuPerDelivery: cpu, memory: after.residentBytes, processes: after.processes)
        }
        account(&report)
        for run in 0..<plan.runs { if let place = answerOfRun[run] { answers[place].finish(poller) } }
        // A moment for what the sockets did not take at once.
        let end = Nanoseconds.now() + Self.turn
        while Nanoseconds.now() < end { work(until: end) }
        return report
    }

    /// Posts the event, and waits for the run's first token in its first dashboard.
    private mutating func start(_ run: Int) throws {
        let end = Nanoseconds.now() + Self.answerPatience
        posted = 0
        guard poster.send(plan.eventRequest(run: run), poller) else {
            throw Failure(.unreachable, "the hub takes no events: \(LocalFile.lastError())")
        }
        while posted == 0 {
            guard Nanoseconds.now() < end else { throw Failure(.unreachable, "an event got no answer in 20 s") }
            work(until: end)
        }
        let answer = (try? JSONValue(parsing: poster.answer)) ?? .null
        guard (200..<300).contains(posted), let id = answer["runs"]?.array?.first?.string else {
            throw Failure(.refused, "an event was answered with \(posted), and started no run: \(answer.text)")
        }
        runs.append((id, Nanoseconds.now()))
        try dial(run)
        while dashboards[run].account.count == 0, dashboards[run].state != .closed, Nanoseconds.now() < end {
            work(until: end)
        }
        guard dashboards[run].account.count > 0 else { throw silence(run) }
    }

    /// Why a run says nothing.
    private func silence(_ run: Int) -> Failure {
        if dashboards[run].status != 200 {
            return Failure(.refused, "a dashboard was answered with \(dashboards[run].status) instead of 200")
        }
        return answerOfRun[run] == nil
            ? Failure(
                .negative,
                "\(runs[run].id) did not ask the provider: limits.runs_running and outbound.allow_private of the hub "
                    + "must allow it, and from another machine --host must lead here; see belfry runs show")
            : Failure(.negative, "the first token of \(runs[run].id) did not reach its dashboard")
    }

    private mutating func connectDashboards() throws {
        var deadline = Nanoseconds.now() + Self.answerPatience
        var open = 0
        while open < plan.dashboards {
            while dashboards.count < plan.dashboards, dashboards.count - open < Self.connectingMax {
                try dial(dashboards.count)
            }
            work(until: deadline)
            // What a run has said so far has come to a dashboard before it counts as connected.
            while open < dashboards.count, dashboards[open].account.count > 0 {
                open += 1
                deadline = Nanoseconds.now() + Self.answerPatience
            }
            if open < dashboards.count, dashboards[open].state == .closed || Nanoseconds.now() > deadline {
                throw Failure(
                    .refused,
                    "\(open) of \(plan.dashboards) dashboards are connected; the next got status \(dashboards[open].status)"
                )
            }
        }
    }

    private mutating func dial(_ place: Int) throws {
        guard let socket = address.connect(waits: false) else {
            let limit = errno == EMFILE ? "; raise the limit of open files (ulimit -n)" : ""
            throw Failure(.unreachable, "dashboard \(place + 1) cannot connect: \(LocalFile.lastError())\(limit)")
        }
        dashboards.append(Dashboard(socket: socket, run: place % plan.runs))
        poller.add(socket, as: place, for: .writable)
    }

    private mutating func talk() {
        let patience = plan.patience.nanoseconds
        let all = plan.runs * (plan.tokensOfRun - 1)
        while due < all || received < expected {
            let now = Nanoseconds.now()
            if due == all, now - lastProgress > patience { break }
            work(until: now + Self.turn)
        }
    }

    /// What all dashboards get of what was said.
    private var expected: Int { said.indices.reduce(0) { $0 + said[$1] * dashboards(of: $1) } }

    private func dashboards(of run: Int) -> Int {
        plan.dashboards / plan.runs + (run < plan.dashboards % plan.runs ? 1 : 0)
    }

    private func account(_ report: inout TokensReport) {
        (report.latency, report.firstTokens, report.lateness) = (latency, firstTokens, lateness)
        (report.said, report.unsaid, report.deliveries) = (said.reduce(0, +), unsaid, received)
        for dashboard in dashboards {
            report.lost += dashboard.account.lost(before: said[dashboard.run])
            report.doubled += dashboard.account.doubled
            report.reordered += dashboard.account.reordered
            report.closed += dashboard.state == .closed ? 1 : 0
        }
    }
}
