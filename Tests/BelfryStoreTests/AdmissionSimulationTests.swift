import BelfryCore
import GRDB
import Testing

@testable import BelfryStore

/// The simulation held against a store that really admits the same matches, with a clock that the test moves.
@Suite(.timeLimit(.minutes(3))) struct AdmissionSimulationTests {
    /// One match that comes after a pause.
    private struct Step {
        var pause: Duration
        var sensor: Int
        var resolves: Bool
    }

    /// What a store, or the simulation, came to.
    private struct Result: Equatable {
        var outcomes: [Outcome: Int]
        var runs: [Timestamp]
    }

    private static let takes = Duration.milliseconds(30_013)

    private static func steps(_ count: Int, seed: UInt64) -> [Step] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            // Now and then a quiet stretch, so that windows, cooldowns and hours end.
            let isQuiet = UInt64.random(in: 0..<20, using: &generator) == 0
            let longest: Int64 = isQuiet ? 2_000_000 : 14_000
            return Step(
                pause: .milliseconds(Int64.random(in: 1...longest, using: &generator)),
                sensor: Int.random(in: 0..<3, using: &generator),
                resolves: Int.random(in: 0..<8, using: &generator) == 0)
        }
    }

    private static func match(
        _ step: Step, _ policy: GroupPolicy?, _ limits: RuleLimits, _ onResolved: OnResolved
    ) -> MatchRequest {
        var match = MatchRequest(rule: "r", ruleVersion: 1, limits: limits)
        let key = GroupKey([.int(step.sensor)])
        match.group = GroupMembership(key: key, policy: policy)
        match.resolves = step.resolves
        match.onResolved = onResolved
        return match
    }

    private func simulated(_ steps: [Step], from start: Timestamp, _ match: (Step) -> MatchRequest) -> Result {
        var simulation = AdmissionSimulation(runTakes: Self.takes)
        var time = start
        for step in steps {
            time = time + step.pause
            simulation.admit(match(step), at: time)
        }
        return Result(outcomes: simulation.outcomes.filter { $0.value > 0 }, runs: simulation.made.map(\.at))
    }

    /// The same in a store: timers fire and runs end when their time has come, in its order.
    private func stored(
        _ steps: [Step], in fixture: borrowing Fixture, _ match: @escaping @Sendable (Step) -> MatchRequest
    ) async throws -> Result {
        let (store, clock) = (fixture.store, fixture.clock)
        let rule = match(steps[0])
        let concurrency = rule.limits.concurrency
        var working: [(run: RunID, ends: Timestamp)] = []
        func claim() async throws {
            for claimed in try await store.claimRuns(max: 32, concurrency: { _ in concurrency }) {
                working.append((claimed.run.id, clock.now + Self.takes))
            }
            // Told to stop by the hub, a run ends at once.
            for (index, run) in working.enumerated().reversed() {
                let record = try await store.run(run.run)
                guard record.stopReason != nil else { continue }
                working.remove(at: index)
                try await store.commit(.end(record, .stopped, .resolved, error: nil, at: clock.now))
                try await claim()
                return
            }
        }
        func pass(to time: Timestamp) async throws {
            while true {
                let timer = try await store.nextTimer()
                let ending = working.min { $0.ends < $1.ends }
                guard let next = [timer, ending?.ends].compactMap({ $0 }).min(), next <= time else { break }
                clock.advance(by: next - clock.now)
                if let ending, ending.ends == next {
                    working.removeAll { $0.run == ending.run }
                    let record = try await store.run(ending.run)
                    try await store.commit(.end(record, .succeeded, .completed, error: nil, at: next))
                } else {
                    try await store.fireTimers { _ in rule }
                }
                try await claim()
            }
            clock.advance(by: time - clock.now)
        }
        for step in steps {
            try await pass(to: clock.now + step.pause)
            try await fixture.accept(fixture.event(), matching: [match(step)])
            try await claim()
        }
        let rows = try fixture.store.onWriter { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT CASE WHEN m.outcome = 'grouped' THEN coalesce(g.outcome, m.outcome) ELSE m.outcome END AS word,
                        count(*) AS count FROM matches m LEFT JOIN match_groups g ON g.id = m.match_group GROUP BY word
                    """)
        }
        var outcomes: [Outcome: Int] = [:]
        for row in rows { outcomes[try row.word("word"), default: 0] += Int(row.int("count")) }
        let runs = try fixture.store.onWriter { db in
            try Row.fetchAll(db, sql: "SELECT received FROM runs ORDER BY sequence").map { $0.timestamp("received") }
        }
        return Result(outcomes: outcomes, runs: runs)
    }

    private func compare(
        _ policy: GroupPolicy?, concurrency: Int = 2, runsPerHour: Int = 20, _ onResolved: OnResolved = .ignore,
        alerts: Int64 = 0, seed: UInt64
    ) async throws {
        let fixture = try Fixture()
        var limits = RuleLimits()
        limits.concurrency = concurrency
        limits.runsPerHour = runsPerHour
        let steps = Self.steps(300, seed: seed)
        let match = { @Sendable [limits] (step: Step) in
            var match = Self.match(step, policy, limits, onResolved)
            if alerts > 0 { match.group?.subject = "f\(step.pause.milliseconds % alerts)" }
            return match
        }
        let simulated = simulated(steps, from: fixture.clock.now, match)
        let stored = try await stored(steps, in: fixture, match)
        #expect(simulated.outcomes == stored.outcomes)
        #expect(simulated.runs == stored.runs)
        #expect(simulated.outcomes.count > 2, "\(simulated.outcomes)")
        await fixture.store.close()
    }

    @Test("without groups: what starts, waits and is limited is what a store says", arguments: [1, 2, 3] as [UInt64])
    func limits(seed: UInt64) async throws { try await compare(nil, seed: seed) }

    @Test("threshold: the same outcomes and runs as in a store", arguments: GroupPolicy.WhileRunning.allCases)
    func threshold(_ kind: GroupPolicy.WhileRunning) async throws {
        var policy = GroupPolicy()
        policy.within = .seconds(60)
        policy.threshold = 3
        policy.whileRunning = kind
        try await compare(policy, .stop, seed: 4)
    }

    @Test("debounce: the same outcomes and runs as in a store", arguments: GroupPolicy.WhileRunning.allCases)
    func debounce(_ kind: GroupPolicy.WhileRunning) async throws {
        var policy = GroupPolicy()
        policy.within = .seconds(120)
        policy.debounce = .seconds(15)
        policy.cooldown = .seconds(50)
        policy.whileRunning = kind
        try await compare(policy, runsPerHour: 10, .stop, seed: 5)
    }

    @Test("a window and a cooldown: the same outcomes and runs as in a store", arguments: OnResolved.allCases)
    func window(_ onResolved: OnResolved) async throws {
        var policy = GroupPolicy()
        policy.within = .seconds(45)
        policy.cooldown = .seconds(90)
        policy.whileRunning = .queue
        try await compare(policy, concurrency: 1, onResolved, seed: 6)
    }

    @Test(
        "groups that are resolved with the last of their alerts: the same outcomes and runs as in a store",
        arguments: GroupPolicy.WhileRunning.allCases)
    func alerts(_ kind: GroupPolicy.WhileRunning) async throws {
        var policy = GroupPolicy()
        policy.within = .seconds(60)
        policy.threshold = 3
        policy.whileRunning = kind
        try await compare(policy, .stop, alerts: 3, seed: 7)
    }

    @Test("what is due comes in the order of its time, of equals in the order it was added")
    func order() {
        var due = DueTimes<Int>()
        for (number, second) in [5, 1, 3, 1, 9, 3, 0].enumerated() {
            due.add(number, at: Timestamp(seconds: Int64(second)))
        }
        var taken: [Int] = []
        while let next = due.next(upTo: Timestamp(seconds: 5)) { taken.append(next.element) }
        #expect(taken == [6, 1, 3, 2, 5, 0])
    }
}
