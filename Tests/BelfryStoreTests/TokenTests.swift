import BelfryCore
import Foundation
import GRDB
import Testing

@testable import BelfryStore

/// `tokens_per_day`: counted with the step that used them, by UTC day; what is used up starts nothing more.
@Suite(.timeLimit(.minutes(3))) struct TokenTests {
    private func match(_ rule: String = "r", tokens: Int? = 100) -> MatchRequest {
        var match = MatchRequest.rule(rule, concurrency: 99)
        match.limits.tokensPerDay = tokens
        return match
    }

    private func run(_ match: MatchRequest, in fixture: borrowing Fixture) async throws -> RunID {
        try #require(try await fixture.accept(fixture.event(), matching: [match]).runs.first)
    }

    private func use(
        _ tokens: Int, _ run: RunID, limit: Int? = 100, in fixture: borrowing Fixture
    ) async throws {
        var change = RunChange(run: run, from: [.queued, .running], to: .running)
        change.spent.tokens = tokens
        change.limits.tokensPerDay = limit
        try await fixture.store.commit(change)
    }

    private func decision(_ match: MatchRequest, in fixture: borrowing Fixture) async throws -> String {
        let accepted = try await fixture.accept(fixture.event(), matching: [match])
        let record = try #require(try await fixture.store.matches(of: accepted.event).first)
        return record.outcome.rawValue + (record.detail.map { ": \($0)" } ?? "")
    }

    private func notices(_ fixture: borrowing Fixture) -> [JSONValue] {
        fixture.recorder.frames.map(\.draft).filter { $0.type == .notice }.map(\.data.value)
    }

    @Test(
        "tokens of the UTC day limit the next match; the next day begins anew; a clock that is set back finds its day")
    func day() async throws {
        let fixture = try Fixture()
        let spent = "limited: limits.tokens_per_day: 100 of 100 tokens are used on 2027-01-15 (UTC)"
        let run = try await run(match(), in: fixture)
        try await use(99, run, in: fixture)
        #expect(try await decision(match(), in: fixture) == "started")
        try await use(1, run, in: fixture)
        #expect(try await decision(match(), in: fixture) == spent)
        #expect(try await decision(match("other"), in: fixture) == "started", "each rule has its own")
        #expect(try await decision(match(tokens: nil), in: fixture) == "started")
        // It is 08:00.
        fixture.clock.advance(by: .seconds(16 * 3600) - .milliseconds(1))
        #expect(try await decision(match(), in: fixture) == spent)
        fixture.clock.advance(by: .milliseconds(1))
        #expect(try await decision(match(), in: fixture) == "started")
        try await use(7, run, in: fixture)
        fixture.clock.advance(by: .milliseconds(-1))
        #expect(try await decision(match(), in: fixture) == spent)
        let again = try await fixture.reopen()
        #expect(try fixture.numbers(again, "SELECT tokens FROM rule_tokens WHERE rule = 'r' ORDER BY day") == [100, 7])
        await again.close()
    }

    @Test("that they are used up is told once a day and rule, whoever finds it first")
    func notice() async throws {
        let fixture = try Fixture()
        let run = try await run(match(), in: fixture)
        for _ in 0..<3 { try await use(60, run, in: fixture) }
        _ = try await decision(match(), in: fixture)
        let first = try #require(notices(fixture).first)
        #expect(notices(fixture).count == 1)
        #expect(first["kind"] == "budget" && first["rule"] == "r" && first["severity"] == "warning")
        #expect(
            first["text"]?.string?.hasPrefix("limits.tokens_per_day: 120 of 100 tokens are used on 2027-01-15 (UTC): ")
                == true)
        // A limit that is lowered below what is used: the next match finds it.
        let other = try await self.run(match("s"), in: fixture)
        try await use(60, other, in: fixture)
        #expect(notices(fixture).count == 1)
        for _ in 0..<2 { #expect(try await decision(match("s", tokens: 50), in: fixture).hasPrefix("limited: ")) }
        #expect(notices(fixture).map { $0["rule"]?.string } == ["r", "s"])
        fixture.clock.advance(by: .seconds(86400))
        try await use(100, run, in: fixture)
        #expect(notices(fixture).count == 3)
        await fixture.store.close()
    }

    @Test("what was spent limits the next match, too, and the notice says which limit it was")
    func cost() async throws {
        let fixture = try Fixture()
        var match = match(tokens: 1000)
        match.limits.costPerDay = Cost(units: 0.5)
        let run = try await run(match, in: fixture)
        for (cost, decided) in [(0.25, "started"), (0.2499, "started"), (0.0001, "limited")] {
            var change = RunChange(run: run, from: [.queued, .running], to: .running)
            change.spent = Spending(tokens: 10, cost: Cost(units: cost))
            change.limits = match.limits
            try await fixture.store.commit(change)
            #expect(try await decision(match, in: fixture).hasPrefix(decided))
        }
        let spent = "limits.cost_per_day: 0.5 of 0.5 are spent on 2027-01-15 (UTC)"
        #expect(try await decision(match, in: fixture) == "limited: \(spent)")
        #expect(notices(fixture).count == 1 && notices(fixture)[0]["text"]?.string?.hasPrefix(spent) == true)
        await fixture.store.close()
    }

    @Test("in place of what would begin another step the end is committed, with what the change itself has used")
    func ending() async throws {
        let fixture = try Fixture()
        let run = try await run(match(), in: fixture)
        try await use(40, run, in: fixture)
        let step = StepRecord(run: run, index: 1, name: "next", kind: "agent", state: .running, attempt: 1)
        func advance(_ tokens: Int) async throws -> RunRecord {
            var change = RunChange(run: run, from: [.running], steps: [step])
            change.spent.tokens = tokens
            change.limits.tokensPerDay = 100
            let end = RunChange(run: run, from: [.running], to: .failed, reason: .budget)
            return try await fixture.store.commit(change, orIfSpent: end)
        }
        #expect(try await advance(59).state == .running)
        #expect(try await fixture.store.steps(of: run) == [step])
        try fixture.sql("DELETE FROM steps")
        let ended = try await advance(1)
        #expect(ended.state == .failed && ended.reason == .budget)
        #expect(try await fixture.store.steps(of: run).isEmpty)
        await fixture.store.close()
    }

    @Test("days are forgotten after a week")
    func sweep() async throws {
        let fixture = try Fixture()
        let run = try await run(match(), in: fixture)
        try await use(1, run, in: fixture)
        fixture.clock.advance(by: .seconds(8 * 86400))
        try await use(1, run, in: fixture)
        _ = try await fixture.accept(fixture.event())
        #expect(try fixture.number("SELECT count(*) FROM rule_tokens") == 1)
        await fixture.store.close()
    }
}

extension Fixture {
    fileprivate func numbers(_ store: Store, _ sql: String) throws -> [Int] {
        try store.onWriter { db in try Int.fetchAll(db, sql: sql) }
    }
}
