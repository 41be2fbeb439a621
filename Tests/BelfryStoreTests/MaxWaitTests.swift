import BelfryCore
import Foundation
import GRDB
import Testing

@testable import BelfryStore

/// `limits.max_wait`: a run that is queued for longer expires, whatever it waits for.
@Suite(.timeLimit(.minutes(3))) struct MaxWaitTests {
    private func match(seconds: Int? = 600) -> MatchRequest {
        var match = MatchRequest.rule("r", concurrency: 1)
        match.limits.maxWait = seconds.map { .seconds($0) }
        return match
    }

    private func run(_ match: MatchRequest, in fixture: borrowing Fixture) async throws -> RunID {
        try #require(try await fixture.accept(fixture.event(), matching: [match]).runs.first)
    }

    private func claim(_ store: Store) async throws -> [RunID] {
        try await store.claimRuns(max: 9, concurrency: { $0 == "r" ? 1 : nil }).map(\.run.id)
    }

    private func fire(_ fixture: borrowing Fixture) async throws -> Int {
        try await fixture.store.fireTimers { .rule($0) }
    }

    private func timers(_ fixture: borrowing Fixture) throws -> Int? {
        try fixture.number("SELECT count(*) FROM timers")
    }

    @Test("row, frame and audit say that it has waited too long, and so does its event; nothing starts it again")
    func expires() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        let atWork = try await run(match(), in: fixture)
        #expect(try await claim(store) == [atWork])
        let event = try await fixture.accept(fixture.event(), matching: [match()])
        let waiting = try #require(event.runs.first)
        #expect(event.outcomes.map(\.outcome) == [.queued])
        #expect(try await store.nextTimer() == fixture.clock.now + .seconds(600))
        fixture.clock.advance(by: .seconds(600) - .milliseconds(1))
        #expect(try await fire(fixture) == 0)
        fixture.clock.advance(by: .milliseconds(1))
        let batches = fixture.recorder.all.count
        #expect(try await fire(fixture) == 1)
        let record = try await store.run(waiting)
        #expect(record.state == .expired && record.reason == .maxWait && record.ended == fixture.clock.now)
        #expect(record.error == StoredError(code: "max_wait", message: "waited longer than 10m (limits.max_wait)"))
        #expect(record.started == nil)
        let batch = try #require(fixture.recorder.all.last)
        #expect(fixture.recorder.all.count == batches + 1 && batch.frames.count == 1)
        let frame = try #require(batch.frames.first?.draft)
        #expect(frame.type == .runFinished && frame.topic == .runs && frame.run == waiting)
        #expect(frame.data.value["state"] == "expired" && frame.data.value["reason"] == "max_wait")
        let entry = try #require(try await store.audit(after: 0).last)
        #expect(entry.action == "run.expired" && entry.subject == waiting.description)
        let told = try #require(try await store.matches(of: event.event).first)
        #expect(told.outcome == .queued && told.end?.state == .expired && told.end?.error == record.error)

        #expect(try await store.run(atWork).state == .running)
        try await store.commit(RunChange(run: atWork, from: [.running], to: .succeeded))
        #expect(try await claim(store).isEmpty)
        #expect(try await store.nextTimer() == nil)
        await store.close()
    }

    @Test("the wait is over with the beginning and with any end: no timer is left")
    func endsOtherwise() async throws {
        let fixture = try Fixture()
        let runs = [try await run(match(), in: fixture), try await run(match(), in: fixture)]
        #expect(try timers(fixture) == 2)
        #expect(try await claim(fixture.store) == [runs[0]])
        #expect(try timers(fixture) == 1)
        try await fixture.store.commit(RunChange(run: runs[1], from: [.queued], to: .stopped, reason: .operator))
        #expect(try timers(fixture) == 0)
        _ = try await run(match(seconds: nil), in: fixture)
        #expect(try timers(fixture) == 0, "without max_wait it waits for ever")
        await fixture.store.close()
    }

    @Test("a run that is overdue does not begin, even if its timer is late; the one behind it does")
    func lateTimer() async throws {
        let fixture = try Fixture()
        let overdue = [try await run(match(), in: fixture), try await run(match(), in: fixture)]
        fixture.clock.advance(by: .seconds(600))
        let fresh = try await run(match(), in: fixture)
        let store = try await fixture.reopen()
        var claimed: [RunID] = []
        var rounds = 0
        // As the scheduler does: as long as it is woken.
        repeat {
            claimed += try await claim(store)
            rounds += 1
        } while claimed.isEmpty && fixture.recorder.all.last?.hasQueuedRuns == true && rounds < 9
        #expect(claimed == [fresh])
        for run in overdue { #expect(try await store.run(run).state == .expired) }
        #expect(try await store.fireTimers { .rule($0) } == 0)
        await store.close()
    }

    @Test(
        "what a pause, or a rule that is switched off or broken, holds back expires too",
        arguments: ["paused", "off", "broken"])
    func heldBack(_ cause: String) async throws {
        let fixture = try Fixture()
        let store = fixture.store
        _ = try await store.apply(DocumentPlan(owner: .api, documents: [.rule("r")]), by: .hub)
        let waiting = try await run(match(), in: fixture)
        switch cause {
        case "paused": try await store.setAllPaused(true, by: .hub)
        case "off": try await store.setEnabled(false, rule: "r", by: .hub)
        default:
            try fixture.sql("INSERT INTO rule_state (rule, changed, changed_by, broken_since) VALUES ('r', 1, x'', 1)")
        }
        #expect(try await claim(store).isEmpty)
        fixture.clock.advance(by: .seconds(600))
        #expect(try await fire(fixture) == 1)
        #expect(try await store.run(waiting).state == .expired)
        await store.close()
    }

    @Test("a run behind another of its group counts too; the next one of the group goes on, and its group is over")
    func behindAnother() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        func accept(seconds: Int) async throws -> RunID {
            let event = fixture.event()
            var match = MatchRequest.grouped(.with(whileRunning: .queue), event)
            match.limits.maxWait = .seconds(seconds)
            return try #require(try await fixture.accept(event, matching: [match]).runs.first)
        }
        let atWork = try await accept(seconds: 60)
        #expect(try await store.claimRuns(max: 9, concurrency: { _ in nil }).map(\.run.id) == [atWork])
        let held = try await accept(seconds: 60)
        fixture.clock.advance(by: .seconds(60))
        #expect(try await fire(fixture) == 1)
        #expect(try await store.run(held).reason == .maxWait)
        #expect(try await store.openGroups(of: "r").items.isEmpty, "the group of the run that ended is over")
        let next = try await accept(seconds: 60)
        #expect(try await store.claimRuns(max: 9, concurrency: { _ in nil }).isEmpty, "the first one is still at work")
        try await store.commit(RunChange(run: atWork, from: [.running], to: .succeeded))
        #expect(try await store.claimRuns(max: 9, concurrency: { _ in nil }).map(\.run.id) == [next])
        await store.close()
    }

    @Test("a replay, and a delivery that is matched again, wait from then on")
    func again() async throws {
        let fixture = try Fixture()
        let event = fixture.event("k")
        let accepted = try await fixture.accept(event, matching: [match(seconds: 60)])
        let first = try #require(accepted.runs.first)
        fixture.clock.advance(by: .seconds(60))
        #expect(try await fire(fixture) == 1)
        #expect(try await fixture.accept(fixture.event("k"), matching: [match()]).runs == [first], "a duplicate")
        fixture.clock.advance(by: .seconds(30))
        let replay = EventReplay(event: event, ruleSetVersion: 1, matches: [match(seconds: 60)])
        let second = try #require(try await fixture.store.replay(replay, by: .hub).runs.first)
        #expect(second != first)
        #expect(try await fixture.store.nextTimer() == fixture.clock.now + .seconds(60))

        let refused = fixture.event("l")
        var limited = match(seconds: 60)
        limited.limits.runsPerHour = 0
        #expect(try await fixture.accept(refused, matching: [limited]).outcomes.map(\.outcome) == [.limited])
        fixture.clock.advance(by: .seconds(10))
        let duplicate = try await fixture.accept(fixture.event("l"))
        #expect(duplicate.mayMatchAgain)
        let repeated = EventReplay(event: refused, ruleSetVersion: 2, matches: [match(seconds: 60)])
        let third = try await fixture.store.matchAgain(repeated, duplicate: duplicate, of: fixture.delivery([]))
        fixture.clock.advance(by: .seconds(50))
        #expect(try await fire(fixture) == 1)
        #expect(try await fixture.store.run(second).state == .expired)
        #expect(try await fixture.store.run(try #require(third.runs.first)).state == .queued)
        await fixture.store.close()
    }
}
