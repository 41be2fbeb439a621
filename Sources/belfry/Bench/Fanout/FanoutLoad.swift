import BelfryCore
import Glibc

/// The whole of a benchmark: connect, warm up, measure; with slow readers once before they come and once beside them.
struct FanoutLoad {
    let plan: FanoutPlan
    /// Told what begins.
    let progress: (String) -> Void

    func run() throws -> FanoutReport {
        let before = ServerUsage.of(plan.processes)
        if !plan.processes.isEmpty, before == nil {
            throw Failure(
                .usage, "--pid: there is no process \(plan.processes.map(String.init).joined(separator: ", "))")
        }
        var run = try FanoutRun(plan: plan)
        var report = FanoutReport()
        progress("connecting \(plan.subscribers) subscribers")
        let begin = Nanoseconds.now()
        try run.connect(plan.subscribers)
        report.connectionsPerSecond = Double(plan.subscribers) * 1e9 / Double(max(1, Nanoseconds.now() - begin))
        run.counted = plan.subscribers
        run.settle()
        let connected = ServerUsage.of(plan.processes)
        if plan.warmUp > 0 {
            progress("warming up with \(plan.warmUp) messages")
            let warm = run.measure(.messages(plan.warmUp))
            guard warm.deliveries > 0 else { throw Self.nothingCame(warm) }
        }
        if let slow = plan.slow {
            progress("measuring without slow readers")
            let without = FanoutReport.Stretch(run.measure(plan.goal))
            progress("connecting \(slow.readers) slow readers")
            try run.connectSlow(slow.readers)
            report.slow = .init(readers: slow.readers, bytesRead: 0, bytesUnread: 0, closed: 0, without: without)
        }
        progress("measuring")
        let start = (server: ServerUsage.of(plan.processes), own: ServerUsage.own())
        let phase = run.measure(plan.goal)
        let own = ServerUsage.own() - start.own
        report.stretch = .init(phase)
        report.count(run.subscribers, phase, counted: run.counted)
        let deliveries = Double(phase.deliveries)
        if deliveries > 0 { report.clientCPUPerDelivery = own * 1e6 / deliveries }
        if let before, let connected, let busy = start.server, let end = ServerUsage.of(plan.processes) {
            let cpu = deliveries > 0 ? (end.processorSeconds - busy.processorSeconds) * 1e6 / deliveries : nil
            let memory = max(0, connected.residentBytes - before.residentBytes)
            report.server = .init(
                cpuPerDelivery: cpu, memory: end.residentBytes, memoryPerConnection: memory / plan.subscribers,
                processes: end.processes)
        }
        return report
    }

    private static func nothingCame(_ warm: FanoutPhase) -> Failure {
        warm.refused > 0
            ? Failure(
                .refused,
                "publishing was refused: \(warm.refused) of \(warm.published) messages; see the answer with curl")
            : Failure(
                .negative,
                "\(warm.published) messages were published, and no subscriber got one: do both URLs name the same topic?"
            )
    }
}

extension FanoutRun {
    /// Connects readers that read little or nothing from now on.
    mutating func connectSlow(_ count: Int) throws {
        try connect(count)
        for index in subscribers.indices.dropFirst(counted) {
            poller.watch(subscribers[index].socket, as: index, for: .nothing)
        }
    }
}

extension FanoutReport.Stretch {
    init(_ phase: FanoutPhase) {
        (published, deliveries, refused) = (phase.published, phase.deliveries, phase.refused)
        (seconds, latency) = (phase.seconds, phase.latency)
    }
}

extension FanoutReport {
    /// Counts what each subscriber's account says. Slow ones may be behind, so nothing is lost to them.
    mutating func count(_ subscribers: [FanoutSubscriber], _ phase: FanoutPhase, counted: Int) {
        for (index, subscriber) in subscribers.enumerated() {
            doubled += subscriber.account.doubled
            reordered += subscriber.account.reordered
            guard index >= counted else {
                lost += subscriber.account.lost(before: phase.endNumber(topic: subscriber.topic))
                closed += subscriber.state == .closed ? 1 : 0
                continue
            }
            slow?.bytesRead += subscriber.bytesRead
            slow?.closed += subscriber.state == .closed ? 1 : 0
            var waiting: Int32 = 0
            if ioctl(subscriber.socket, UInt(FIONREAD), &waiting) == 0 { slow?.bytesUnread += Int(waiting) }
        }
    }
}
