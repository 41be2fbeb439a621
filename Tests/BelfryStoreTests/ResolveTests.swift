import BelfryCore
import Foundation
import Testing

@testable import BelfryStore

/// What an event that resolves ends, in rows.
@Suite(.timeLimit(.minutes(3))) struct ResolveTests {
    private func fire(
        _ fixture: borrowing Fixture, _ policy: GroupPolicy?, subject: String? = nil
    ) async throws -> AcceptedEvent {
        let event = fixture.event(data: #"{"sensor": "pump-7"}"#)
        return try await fixture.accept(event, matching: [.grouped(policy, event, subject: subject)])
    }

    /// - Returns: what is told of the resolving event.
    private func resolve(
        _ fixture: borrowing Fixture, _ onResolved: OnResolved = .stop, subject: String? = nil
    ) async throws -> String {
        let event = fixture.event(data: #"{"sensor": "pump-7"}"#)
        var match = MatchRequest.grouped(nil, event, subject: subject)
        match.resolves = true
        match.onResolved = onResolved
        let accepted = try await fixture.accept(event, matching: [match])
        #expect(accepted.runs.isEmpty && accepted.outcomes.map(\.outcome) == [.resolved])
        return try await fixture.store.matches(of: accepted.event).first?.detail ?? "-"
    }

    @Test("a group that waits is closed: it starts nothing, and its events say so", arguments: OnResolved.allCases)
    func collecting(_ onResolved: OnResolved) async throws {
        let fixture = try Fixture()
        let first = try await fire(fixture, .with(within: 60, debounce: 10))
        #expect(try await resolve(fixture, onResolved) == "1 event waited and started nothing")
        fixture.clock.advance(by: .seconds(60))
        #expect(try await fixture.store.fireTimers { .rule($0) } == 0)
        let match = try #require(try await fixture.store.matches(of: first.event).first)
        #expect(match.outcome == .resolved && match.detail?.hasSuffix("before a run was made") == true)
        #expect(try await fixture.store.runs().items.isEmpty)
        #expect(try await resolve(fixture) == "nothing was open")
        await fixture.store.close()
    }

    @Test("a queued run is stopped at once, one at work is told, durably")
    func stop() async throws {
        let fixture = try Fixture()
        let queued = try #require(try await fire(fixture, .with()).runs.first)
        #expect(try await resolve(fixture) == "\(queued) was stopped")
        let stopped = try await fixture.store.run(queued)
        #expect(stopped.state == .stopped && stopped.reason == .resolved)
        #expect(fixture.recorder.all.flatMap(\.stops).isEmpty)

        let atWork = try #require(try await fire(fixture, .with()).runs.first)
        _ = try await fixture.store.claimRuns(max: 1, concurrency: { _ in nil })
        #expect(try await resolve(fixture) == "\(atWork) was told to stop")
        #expect(try await resolve(fixture) == "\(atWork) was told to stop", "told once, whatever comes again")
        #expect(fixture.recorder.all.flatMap(\.stops) == [RunStop(run: atWork, reason: .resolved)])
        let again = try await fixture.reopen()
        #expect(try await again.unfinishedRuns().map(\.stopReason) == [.resolved])
        var step = RunChange(run: atWork, from: [.running])
        step.yieldsToStop = true
        let begins = step
        let error = await belfryError { try await again.commit(begins) }
        #expect(error?.code == .conflict && error?.details["stop_reason"] == "resolved", "no further step begins")
        await again.close()
    }

    @Test("what fires again while its run is being stopped gets a run of its own, behind it")
    func again() async throws {
        let fixture = try Fixture()
        let first = try #require(try await fire(fixture, .with()).runs.first)
        _ = try await fixture.store.claimRuns(max: 1, concurrency: { _ in nil })
        _ = try await resolve(fixture)
        let second = try #require(try await fire(fixture, .with()).runs.first)
        #expect(try await fixture.store.claimRuns(max: 9, concurrency: { _ in nil }).isEmpty)
        try await fixture.store.commit(RunChange(run: first, from: [.running], to: .stopped, reason: .resolved))
        #expect(try await fixture.store.claimRuns(max: 9, concurrency: { _ in nil }).map(\.run.id) == [second])
        await fixture.store.close()
    }

    @Test("notify tells the operators, ignore only records; the run goes on")
    func goesOn() async throws {
        let fixture = try Fixture()
        let run = try #require(try await fire(fixture, .with()).runs.first)
        #expect(try await resolve(fixture, .ignore) == "\(run) goes on (on_resolved: ignore)")
        #expect(!fixture.recorder.frames.contains { $0.draft.type == .notice })
        #expect(try await resolve(fixture, .notify).hasSuffix("its operators were told (on_resolved: notify)"))
        let notice = try #require(fixture.recorder.frames.first { $0.draft.type == .notice }?.draft.data.value)
        #expect(notice["kind"] == "resolved" && notice["run"] == .string(run.description))
        #expect(try await fixture.store.run(run).state == .queued)
        await fixture.store.close()
    }

    @Test("a rule without a group is resolved by the values alone")
    func ungrouped() async throws {
        let fixture = try Fixture()
        let runs = [try await fire(fixture, nil).runs[0], try await fire(fixture, nil).runs[0]]
        #expect(
            try await fixture.store.claimRuns(max: 9, concurrency: { _ in nil }).count == 2,
            "they do not wait for another")
        #expect(try await resolve(fixture) == runs.map { "\($0) was told to stop" }.joined(separator: "; "))
        await fixture.store.close()
    }

    @Test("a group of several alerts is resolved with the last of them")
    func subjects() async throws {
        let fixture = try Fixture()
        let run = try #require(try await fire(fixture, .with(), subject: "f1").runs.first)
        _ = try await fire(fixture, .with(), subject: "f2")
        _ = try await fire(fixture, .with(), subject: "f2")
        #expect(try await resolve(fixture, subject: "f1") == "1 alert of the group still firing")
        #expect(try await resolve(fixture, subject: "f1") == "1 alert of the group still firing")
        #expect(try await resolve(fixture, subject: "f2") == "\(run) was stopped")
        #expect(try fixture.number("SELECT count(*) FROM group_subjects") == 0)
        await fixture.store.close()
    }

    @Test("alerts go on with the group that takes the place of theirs")
    func successor() async throws {
        let fixture = try Fixture()
        _ = try await fire(fixture, .with(whileRunning: .queue), subject: "f1")
        _ = try await fire(fixture, .with(whileRunning: .queue), subject: "f2")
        #expect(try await resolve(fixture, subject: "f2") == "1 alert of the group still firing")
        #expect(try await resolve(fixture, subject: "f1").contains("; "))
        #expect(try await fixture.store.runs().items.map(\.state) == [.stopped, .stopped])
        await fixture.store.close()
    }

    @Test("a group that ends without a run leaves its alerts to the run that is at work")
    func leftBehind() async throws {
        let fixture = try Fixture()
        let policy = GroupPolicy.with(within: 60, threshold: 2, whileRunning: .queue)
        _ = try await fire(fixture, policy, subject: "f1")
        let run = try #require(try await fire(fixture, policy, subject: "f2").runs.first)
        _ = try await fixture.store.claimRuns(max: 1, concurrency: { _ in nil })
        _ = try await fire(fixture, policy, subject: "f3")
        fixture.clock.advance(by: .seconds(60))
        try await fixture.store.fireTimers { .rule($0) }
        #expect(try await fixture.store.openGroups(of: "r").items.isEmpty, "below the threshold")
        #expect(try await resolve(fixture, subject: "f1") == "2 alerts of the group still firing")
        _ = try await fire(fixture, policy, subject: "f1")
        #expect(try await resolve(fixture, subject: "f2") == "2 alerts of the group still firing")
        #expect(try await resolve(fixture, subject: "f3") == "1 alert of the group still firing")
        let told = "1 event waited and started nothing; \(run) was told to stop"
        #expect(try await resolve(fixture, subject: "f1") == told)
        #expect(try fixture.number("SELECT count(*) FROM group_subjects") == 0)
        await fixture.store.close()
    }

    @Test("alerts that were left to a run are forgotten with its end")
    func forgotten() async throws {
        let fixture = try Fixture()
        let policy = GroupPolicy.with(within: 60, threshold: 1, whileRunning: .queue)
        let run = try #require(try await fire(fixture, policy, subject: "f1").runs.first)
        let pair = GroupPolicy.with(within: 60, threshold: 2, whileRunning: .queue)
        _ = try await fire(fixture, pair, subject: "f2")
        fixture.clock.advance(by: .seconds(60))
        try await fixture.store.fireTimers { .rule($0) }
        #expect(try fixture.number("SELECT count(*) FROM group_subjects") == 2)
        try await fixture.store.commit(RunChange(run: run, from: [.queued], to: .stopped))
        #expect(try fixture.number("SELECT count(*) FROM group_subjects") == 0)
        await fixture.store.close()
    }
}
