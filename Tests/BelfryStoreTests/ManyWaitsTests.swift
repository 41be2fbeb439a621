import BelfryCore
import GRDB
import Testing

@testable import BelfryStore

/// One event for which thousands of runs wait: what its own transaction does is bounded, and the others do the rest.
@Suite(.timeLimit(.minutes(2))) struct ManyWaitsTests {
    private static let count = 5000

    private func request() -> MatchRequest {
        var request = MatchRequest(rule: "ci", ruleVersion: 1)
        request.resumes = MatchRequest.Resumption(step: "done", key: GroupKey([7]))
        return request
    }

    private func end(_ step: StepState, of run: RunID) -> RunChange {
        var change = RunChange(run: run, from: [.waiting])
        change.steps = [StepRecord(run: run, index: 1, name: "done", kind: "wait", state: step)]
        return change
    }

    /// Makes a run that waits, through the store.
    private func waitingRun(_ fixture: borrowing Fixture) async throws -> RunID {
        let rule = MatchRequest.rule("ci", concurrency: 100_000, runsPerHour: 100_000)
        let accepted = try await fixture.accept(fixture.event(), matching: [rule])
        let run = try #require(accepted.runs.first)
        var change = RunChange(run: run, from: [.queued], to: .waiting)
        change.waits = [EventWaitRecord(step: 1, name: "done", key: GroupKey([7]), lookBack: nil)]
        change.due = .some(fixture.clock.now + .seconds(3600))
        return try await fixture.store.commit(change).id
    }

    /// As many runs that wait for the same.
    private func waitingRuns(_ count: Int, _ fixture: borrowing Fixture) async throws -> Set<RunID> {
        let one = try await waitingRun(fixture)
        try fixture.sql(
            """
            WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(count))
            INSERT INTO runs (id, event, rule, rule_version, number, state, received, created)
                SELECT randomblob(16), randomblob(16), rule, rule_version, n, state, received, created
                FROM numbers, runs WHERE sequence = 1;
            INSERT INTO event_waits (run, step, awaited, stored)
                SELECT id, 1, (SELECT id FROM awaited), 0 FROM runs WHERE sequence > 1;
            INSERT INTO timers (due, kind, subject, data)
                SELECT t.due, t.kind, r.id, t.data FROM timers t, runs r WHERE r.sequence > 1;
            """)
        let runs = try fixture.store.onWriter { db in
            try Row.fetchAll(db, sql: "SELECT id FROM runs").map { row -> RunID in try row.identifier("id") }
        }
        #expect(runs.count == count && runs.contains(one))
        return Set(runs)
    }

    /// Fires what is due. - Returns: the runs that this has woken, turn by turn.
    private func fireAll(_ store: Store, _ recorder: CommitRecorder) async throws -> [[RunID]] {
        var turns: [[RunID]] = []
        while true {
            let before = recorder.all.count
            guard try await store.fireTimers(rule: { _ in nil }) > 0 else { return turns }
            turns += recorder.all.dropFirst(before).map(\.wakes)
        }
    }

    @Test("the event's transaction tells some of them, and the next ones all others, each once")
    func inTurns() async throws {
        let fixture = try Fixture()
        let runs = try await waitingRuns(Self.count, fixture)
        let accepted = try await fixture.accept(fixture.event(), matching: [request()])
        #expect(accepted.outcomes.map(\.outcome) == [.resumed] && accepted.resumed.count == Limits.resumedRunsTold)
        let match = try #require(try await fixture.store.matches(of: accepted.event).first)
        #expect(match.detail?.hasSuffix("and \(Self.count - Limits.resumedRunsTold) more runs") == true)
        let first = fixture.recorder.all.last?.wakes ?? []
        #expect(first.count == Limits.resumedRunsWokenMax)
        #expect(try fixture.number("SELECT count(*) FROM awaited") == 1)
        let turns = [first] + (try await fireAll(fixture.store, fixture.recorder))
        #expect(turns.allSatisfy { $0.count <= Limits.resumedRunsWokenMax })
        #expect(turns.flatMap(\.self).count == Self.count && Set(turns.flatMap(\.self)) == runs)
        await fixture.store.close()
    }

    @Test("a run that was not told yet has its event all the same, and nobody else has it")
    func between() async throws {
        let fixture = try Fixture()
        let runs = try await waitingRuns(600, fixture)
        let event = try await fixture.accept(fixture.event(), matching: [request()]).event
        let told = Set(fixture.recorder.all.last?.wakes ?? [])
        let untold = try #require(runs.subtracting(told).first)
        #expect(try await fixture.store.eventWaits(of: untold).map(\.event) == [event])
        var late = end(.failed, of: untold)
        late.yieldsToEvents = [1]
        #expect(await belfryError { try await fixture.store.commit(late) }?.saysEvent == event.description)
        // Who begins to wait now waits for the next one, and that is for it alone.
        let newcomer = try await waitingRun(fixture)
        #expect(try await fixture.store.eventWaits(of: newcomer).map(\.event) == [nil])
        let next = try await fixture.accept(fixture.event(), matching: [request()])
        #expect(next.resumed == [newcomer])
        #expect(try await fixture.store.eventWaits(of: untold).map(\.event) == [event])
        #expect(try await fixture.accept(fixture.event(), matching: [request()]).outcomes.isEmpty)
        for run in runs.union([newcomer]) { try await fixture.store.commit(end(.succeeded, of: run)) }
        #expect(try fixture.number("SELECT count(*) FROM awaited") == 0)
        #expect(try await fireAll(fixture.store, fixture.recorder).flatMap(\.self).isEmpty, "nobody is left to tell")
        await fixture.store.close()
    }

    @Test("a crash between two turns loses none: the next start knows all that have not gone on")
    func crash() async throws {
        let fixture = try Fixture()
        let runs = try await waitingRuns(Self.count, fixture)
        let event = try await fixture.accept(fixture.event(), matching: [request()]).event
        try await fixture.store.fireTimers(rule: { _ in nil })
        let done = fixture.recorder.all.flatMap(\.wakes)
        #expect(done.count == 2 * Limits.resumedRunsWokenMax)
        for run in done { try await fixture.store.commit(end(.succeeded, of: run)) }
        let store = try await fixture.reopen()
        let left = runs.subtracting(done)
        #expect(try await Set(store.overdueRuns().map(\.id)) == left)
        for run in left.prefix(3) { #expect(try await store.eventWaits(of: run).map(\.event) == [event]) }
        #expect(Set(try await fireAll(store, fixture.recorder).flatMap(\.self)) == left)
        await store.close()
    }

    @Test("waits of the schema before are there as they were, those whose event has come too")
    func migration() async throws {
        let fixture = try Fixture()
        let runs = [try await waitingRun(fixture), try await waitingRun(fixture)]
        let event = try await fixture.accept(fixture.event(), matching: [request()]).event
        let open = try await waitingRun(fixture)
        var before: [[EventWaitRecord]] = []
        for run in runs + [open] { before.append(try await fixture.store.eventWaits(of: run)) }
        try fixture.sql(
            """
            CREATE TABLE old (run BLOB NOT NULL, step INTEGER NOT NULL, rule TEXT NOT NULL,
                rule_version INTEGER NOT NULL, name TEXT NOT NULL, key BLOB NOT NULL, own BLOB NOT NULL, event BLOB,
                look_back INTEGER, stored INTEGER NOT NULL, PRIMARY KEY (run, step)) STRICT, WITHOUT ROWID;
            INSERT INTO old SELECT w.run, w.step, a.rule, a.rule_version, a.name, a.key, r.event, a.event, w.look_back,
                w.stored FROM event_waits w JOIN awaited a ON a.id = w.awaited JOIN runs r ON r.id = w.run;
            DROP TABLE event_waits; DROP TABLE awaited; ALTER TABLE old RENAME TO event_waits; PRAGMA user_version = 11;
            CREATE INDEX steps_due ON steps (due) WHERE due IS NOT NULL;
            """)
        let store = try await fixture.reopen()
        var after: [[EventWaitRecord]] = []
        for run in runs + [open] { after.append(try await store.eventWaits(of: run)) }
        #expect(after == before && after[0].first?.event == event && after[2].first?.event == nil)
        #expect(try await store.overdueRuns().map(\.id) == runs)
        let next = try await store.accept(
            fixture.delivery([AcceptedDelivery.Item(event: fixture.event(), matches: [request()])]))
        #expect(next.first?.resumed == [open])
        await store.close()
    }

    @Test("a run's own event, replayed, resumes the others and not that run")
    func own() async throws {
        let fixture = try Fixture()
        let runs = [try await waitingRun(fixture), try await waitingRun(fixture)]
        let own = try await fixture.store.event(try await fixture.store.run(runs[0]).event).event
        let replay = EventReplay(event: own, ruleSetVersion: 1, matches: [request()])
        #expect(try await fixture.store.replay(replay, by: .hub).resumed == [runs[1]])
        #expect(try await fixture.store.eventWaits(of: runs[0]).map(\.event) == [nil])
        #expect(try await fixture.store.eventWaits(of: runs[1]).map(\.event) == [own.id])
        #expect(try await fixture.accept(fixture.event(), matching: [request()]).resumed == [runs[0]])
        await fixture.store.close()
    }
}

extension BelfryError {
    fileprivate var saysEvent: String? { details["event"]?.string }
}
