import BelfryCore
import GRDB
import Testing

@testable import BelfryStore

/// Events that runs wait for, in the transaction that stores them.
@Suite(.timeLimit(.minutes(3))) struct EventWaitTests {
    private func request(_ key: JSONValue, rule: String = "ci", version: Int64 = 1, step: String = "done")
        -> MatchRequest
    {
        var request = MatchRequest(rule: rule, ruleVersion: version)
        request.resumes = MatchRequest.Resumption(step: step, key: GroupKey([key]))
        return request
    }

    /// Makes a run that waits at a step.
    private func waitingRun(
        _ fixture: borrowing Fixture, _ key: JSONValue, lookBack: Timestamp? = nil, generation: Int? = nil
    ) async throws -> RunRecord {
        let accepted = try await fixture.accept(fixture.event(), matching: [.rule("ci", concurrency: 100)])
        let run = try #require(accepted.runs.first)
        _ = try await fixture.store.claimRuns(max: 100, concurrency: { _ in 100 })
        var change = RunChange(run: run, from: [.running], to: .waiting)
        change.steps = [StepRecord(run: run, index: 1, name: "done", kind: "wait", state: .waiting)]
        change.waits = [EventWaitRecord(step: 1, name: "done", key: GroupKey([key]), lookBack: lookBack)]
        change.generation = generation
        change.due = .some(fixture.clock.now + .seconds(3600))
        return try await fixture.store.commit(change)
    }

    private func end(_ step: StepState, of run: RunRecord, yields: Bool) -> RunChange {
        var change = RunChange(run: run.id, from: [.waiting])
        change.steps = [StepRecord(run: run.id, index: 1, name: "done", kind: "wait", state: step)]
        if yields { change.yieldsToEvents = [1] }
        return change
    }

    @Test("an event resumes the runs of its values, rule, version and step, wakes them, and its outcome says so")
    func resumes() async throws {
        let fixture = try Fixture()
        let waiting = [try await waitingRun(fixture, 7), try await waitingRun(fixture, 7)]
        // They are told in the order of their ids.
        let (one, two) = (
            waiting.min { $0.id.description < $1.id.description } ?? waiting[0],
            waiting.max { $0.id.description < $1.id.description } ?? waiting[1]
        )
        let other = try await waitingRun(fixture, 8)
        for wrong in [request(9), request("7"), request(7, rule: "cd"), request(7, version: 2), request(7, step: "x")] {
            let accepted = try await fixture.accept(fixture.event(), matching: [wrong])
            #expect(accepted.status == .filtered && accepted.outcomes.isEmpty)
        }
        let event = fixture.event()
        let accepted = try await fixture.accept(event, matching: [try request(JSONValue(parsing: Array("7.0".utf8)))])
        #expect(accepted.status == .accepted && accepted.runs.isEmpty && accepted.resumed == [one.id, two.id])
        #expect(accepted.outcomes == [RuleOutcome(rule: "ci", outcome: .resumed)])
        #expect(fixture.recorder.all.last?.wakes == [one.id, two.id])
        let matches = try await fixture.store.matches(of: event.id)
        #expect(matches.map(\.outcome) == [.resumed] && matches.first?.run == one.id)
        #expect(matches.first?.detail == "step done; also \(two.id)")
        #expect(try await fixture.store.eventWaits(of: two.id).map(\.event) == [event.id])
        #expect(try await fixture.store.eventWaits(of: other.id).map(\.event) == [nil])
        #expect(try await fixture.store.overdueRuns().map(\.id) == waiting.map(\.id))
        let audit = try await fixture.store.audit(cursor: nil, max: 1).items
        #expect(audit.first?.detail.text.contains("\"resumed\":[\"\(one.id)\",\"\(two.id)\"]") == true)
        #expect(try await fixture.store.verifyAudit().isIntact)
        await fixture.store.close()
    }

    @Test("a wait takes one event; what it resumes is a match beside the one that starts a run, and no notice")
    func once() async throws {
        let fixture = try Fixture()
        let run = try await waitingRun(fixture, 7)
        let first = fixture.event()
        var noticed = request(7)
        noticed.notifies = true
        let accepted = try await fixture.accept(first, matching: [.rule("ci", concurrency: 100), noticed])
        #expect(accepted.status == .matched && accepted.runs.count == 1)
        #expect(accepted.outcomes.map(\.outcome) == [.resumed, .started])
        #expect(try await fixture.store.matches(of: first.id).map(\.outcome) == [.started, .resumed])
        #expect(!fixture.recorder.frames.contains { $0.draft.type == .notice })
        let second = try await fixture.accept(fixture.event(), matching: [request(7)])
        #expect(second.outcomes.isEmpty)
        #expect(try await fixture.store.eventWaits(of: run.id).map(\.event) == [first.id])
        await fixture.store.close()
    }

    @Test("a run's own event does not resume it, nor does a repetition of one that has resumed something")
    func own() async throws {
        let fixture = try Fixture()
        let run = try await waitingRun(fixture, 7)
        let own = try await fixture.store.event(run.event).event
        var replay = EventReplay(event: own, ruleSetVersion: 1, matches: [request(7)])
        #expect(try await fixture.store.replay(replay, by: .hub).outcomes.isEmpty)
        let event = fixture.event("key")
        _ = try await fixture.accept(event, matching: [request(7)])
        let again = try await fixture.accept(fixture.event("key"), matching: [request(7)])
        #expect(again.status == .duplicate && !again.mayMatchAgain)
        replay.event = event
        #expect(try await fixture.store.replay(replay, by: .hub).outcomes.isEmpty, "nobody waits any more")
        await fixture.store.close()
    }

    @Test("whatever is paused, a run that waits goes on; what a paused source brings else is paused")
    func paused() async throws {
        let fixture = try Fixture()
        _ = try await waitingRun(fixture, 7)
        try await fixture.store.setAllPaused(true, by: .hub)
        let accepted = try await fixture.accept(fixture.event(), matching: [request(7), .rule("ci")])
        #expect(accepted.status == .paused && accepted.outcomes.map(\.outcome) == [.resumed, .paused])
        await fixture.store.close()
    }

    @Test("of an event and an end without one the first commit counts; an end that does not ask wins")
    func race() async throws {
        let fixture = try Fixture()
        let run = try await waitingRun(fixture, 7)
        let event = try await fixture.accept(fixture.event(), matching: [request(7)])
        let error = await belfryError { try await fixture.store.commit(end(.failed, of: run, yields: true)) }
        #expect(error?.code == .conflict && error?.details["event"]?.string == event.event.description)
        #expect(try await fixture.store.steps(of: run.id).map(\.state) == [.waiting])
        try await fixture.store.commit(end(.succeeded, of: run, yields: false))
        #expect(try fixture.number("SELECT count(*) FROM event_waits") == 0)
        let other = try await waitingRun(fixture, 7)
        try await fixture.store.commit(end(.failed, of: other, yields: true))
        #expect(try await fixture.accept(fixture.event(), matching: [request(7)]).outcomes.isEmpty)
        await fixture.store.close()
    }

    @Test("a run that ends waits for nothing, however it ends, and its version is not asked for any more")
    func ended() async throws {
        let fixture = try Fixture()
        let run = try await waitingRun(fixture, 7)
        let version = RuleVersion(rule: "ci", version: 1)
        #expect(try await fixture.store.versionsWithWaits() == [version])
        #expect(try await fixture.store.hasWaits(version))
        try await fixture.store.commit(.end(run, .failed, .error, error: nil, at: fixture.clock.now))
        #expect(try await fixture.store.versionsWithWaits().isEmpty)
        #expect(try await !fixture.store.hasWaits(version))
        #expect(try fixture.number("SELECT count(*) FROM event_waits") == 0)
        await fixture.store.close()
    }

    @Test("what was matched before a step began to wait is refused behind it, and nothing of it is stored")
    func rematch() async throws {
        let fixture = try Fixture()
        _ = try await waitingRun(fixture, 7, generation: 3)
        let events = try fixture.number("SELECT count(*) FROM events")
        for (generation, isCurrent) in [(2, false), (3, true), (4, true)] {
            var delivery = fixture.delivery([.init(event: fixture.event())])
            delivery.generation = generation
            let error = await belfryError { _ = try await fixture.store.accept(delivery) }
            #expect(error?.asksForRematch == (isCurrent ? nil : true))
        }
        #expect(try fixture.number("SELECT count(*) FROM events") == (events ?? 0) + 2)
        await fixture.store.close()
    }

    @Test("a wait that looks back knows what was stored before it, and is due until it has looked")
    func lookBack() async throws {
        let fixture = try Fixture()
        var times: [Timestamp] = []
        for _ in 0..<10 {
            times.append(fixture.clock.now)
            try await fixture.accept(fixture.event())
            fixture.clock.advance(by: .seconds(10))
        }
        for (index, time) in times.enumerated() {
            for (moment, before) in [(time, index), (time + .seconds(1), index + 1), (time - .seconds(1), index)] {
                let found = try await fixture.store.lastSequence(receivedBefore: moment, through: 10)
                #expect(found == Int64(before), "\(index)")
            }
        }
        #expect(try await fixture.store.lastSequence(receivedBefore: fixture.clock.now, through: 4) == 4)
        let run = try await waitingRun(fixture, 7, lookBack: times[2])
        let wait = try #require(try await fixture.store.eventWaits(of: run.id).first)
        #expect(wait.lookBack == times[2] && wait.lastStored == 11)
        #expect(try await fixture.store.overdueRuns().map(\.id) == [run.id])
        fixture.store.noteLookedBack(wait, of: run.id)
        // Written with what comes next.
        try await fixture.accept(fixture.event())
        #expect(try await fixture.store.overdueRuns().isEmpty)
        #expect(try await fixture.store.eventWaits(of: run.id).first?.lookBack == nil)
        await fixture.store.close()
    }

    @Test("what looking back has found resumes the run, beside what the event came to before; or a live event does")
    func found() async throws {
        let fixture = try Fixture()
        let found = try await fixture.accept(fixture.event(), matching: [.rule("ci", concurrency: 100)]).event
        let unmatched = try await fixture.accept(fixture.event("same"))
        #expect(unmatched.status == .filtered)
        for event in [found, unmatched.event] {
            let runs = [try await waitingRun(fixture, 7), try await waitingRun(fixture, 8)]
            for run in runs {
                var change = end(.succeeded, of: run, yields: true)
                change.found = [1: event]
                try await fixture.store.commit(change)
            }
            let matches = try await fixture.store.matches(of: event)
            #expect(matches.map(\.outcome) == (event == found ? [.started] : []) + [.resumed, .resumed])
            #expect(matches.suffix(2).map(\.run) == runs.map(\.id) && matches.last?.ruleVersion == 1)
            #expect(matches.last?.detail == "step done, looking back")
        }
        #expect(try await fixture.store.event(found).summary.status == .matched)
        #expect(try await fixture.store.event(unmatched.event).summary.status == .accepted)
        let again = try await fixture.accept(fixture.event("same"))
        #expect(again.status == .duplicate && !again.mayMatchAgain, "it has resumed something")
        // A live event was first: nothing of the change is stored.
        let run = try await waitingRun(fixture, 7)
        try await fixture.accept(fixture.event(), matching: [request(7)])
        var late = end(.succeeded, of: run, yields: true)
        late.found = [1: found]
        #expect(await belfryError { try await fixture.store.commit(late) }?.code == .conflict)
        #expect(try await fixture.store.matches(of: found).count == 3)
        // One that was removed meanwhile has no rows.
        try await fixture.store.commit(end(.succeeded, of: run, yields: false))
        let other = try await waitingRun(fixture, 7)
        var gone = end(.succeeded, of: other, yields: true)
        gone.found = [1: EventID(at: fixture.clock.now)]
        try await fixture.store.commit(gone)
        await fixture.store.close()
    }

    @Test("of many runs that one event resumes the outcome names some; all are woken")
    func many() async throws {
        let fixture = try Fixture()
        var runs: [RunID] = []
        for _ in 0..<20 { runs.append(try await waitingRun(fixture, 7).id) }
        runs.sort { $0.description < $1.description }
        let accepted = try await fixture.accept(fixture.event(), matching: [request(7)])
        #expect(accepted.resumed == Array(runs.prefix(Limits.resumedRunsTold)))
        #expect(fixture.recorder.all.last?.wakes == runs)
        let match = try #require(try await fixture.store.matches(of: accepted.event).first)
        #expect(match.detail?.hasSuffix("and 4 more runs") == true)
        await fixture.store.close()
    }
}
