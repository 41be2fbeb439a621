import BelfryCore
import Foundation
import Testing

@testable import BelfryStore

/// A stored event is matched once more because an operator says so.
@Suite(.timeLimit(.minutes(3))) struct ReplayTests {
    private let ann = Principal(token: TokenID(at: Timestamp(milliseconds: 1)), name: "ann", role: .operator)

    private func replay(
        _ event: Event, _ rules: [MatchRequest], in fixture: borrowing Fixture
    ) async throws -> AcceptedEvent {
        try await fixture.store.replay(
            EventReplay(event: event, ruleSetVersion: 7, matches: rules, rule: "a"), by: ann)
    }

    @Test("what a pause kept from starting starts; the round, the frame and the audit say so")
    func paused() async throws {
        let fixture = try Fixture()
        try await fixture.store.setAllPaused(true, by: .hub)
        let event = fixture.event("k")
        #expect(try await fixture.accept(event, matching: [.rule("a")]).status == .paused)
        #expect(try await replay(event, [.rule("a")], in: fixture).outcomes.map(\.outcome) == [.paused], "still paused")
        try await fixture.store.setAllPaused(false, by: .hub)
        let replayed = try await replay(event, [.rule("a")], in: fixture)
        #expect(replayed.status == .matched && replayed.outcomes.map(\.outcome) == [.started])
        #expect(try await fixture.store.runs(RunFilter()).items.map(\.id) == replayed.runs)
        #expect(try await fixture.store.matches(of: event.id).map(\.outcome) == [.paused, .paused, .started])
        let stored = try await fixture.store.event(event.id).summary
        #expect(stored.status == .matched && stored.ruleSetVersion == 7 && stored.runs == replayed.runs)
        let entry = try #require(try await fixture.store.audit(after: 0).last)
        #expect(entry.action == "event.replayed" && entry.actor == "ann" && entry.subject == event.id.description)
        #expect(entry.detail.value["rule"]?.string == "a" && entry.detail.value["round"]?.number?.int64 == 2)
        #expect(try await fixture.store.verifyAudit().brokenAt == nil)
        let frame = try #require(fixture.recorder.frames.last { $0.draft.type == .event })
        #expect(frame.draft.topic == .source("plant"))
        await fixture.store.close()
    }

    @Test("a rule whose run has not ended is joined; one whose run has ended runs again, under another id")
    func again() async throws {
        let fixture = try Fixture()
        let event = fixture.event("k")
        let first = try await fixture.accept(event, matching: [.rule("a")])
        let joined = try await replay(event, [.rule("a")], in: fixture)
        #expect(joined.outcomes.map(\.outcome) == [.joined] && joined.runs.isEmpty && joined.status == .matched)
        try fixture.sql("UPDATE runs SET state = 'succeeded', ended = 1")
        let second = try await replay(event, [.rule("a"), .rule("b")], in: fixture)
        #expect(second.runs.count == 2 && !second.runs.contains(first.runs[0]))
        #expect(try fixture.number("SELECT count(*) FROM runs WHERE retry = 1 AND rule = 'a'") == 1)
        #expect(try fixture.number("SELECT runs FROM events") == 3)
        #expect(try await fixture.accept(fixture.event("k"), matching: [.rule("a")]).status == .duplicate)
        await fixture.store.close()
    }

    @Test("limits hold, and count from the replay and not from when the event came")
    func limits() async throws {
        let fixture = try Fixture()
        let events = ["1", "2", "3"].map { fixture.event($0) }
        for event in events { try await fixture.accept(event) }
        fixture.clock.advance(by: .seconds(7200))
        var outcomes: [Outcome] = []
        for event in events {
            let rule = MatchRequest.rule("a", concurrency: 1, runsPerHour: 2)
            outcomes += try await replay(event, [rule], in: fixture).outcomes.map(\.outcome)
        }
        #expect(outcomes == [.started, .queued, .limited])
        #expect(try await fixture.store.event(events[2].id).summary.status == .accepted)
        await fixture.store.close()
    }

    @Test("a replay that finds its event's group overdue counts the run that this makes")
    func overdueGroup() async throws {
        let fixture = try Fixture()
        let event = fixture.event("k")
        let match = MatchRequest.grouped(.with(within: 60, debounce: 10), event)
        try await fixture.accept(event, matching: [match])
        fixture.clock.advance(by: .seconds(20))
        #expect(try await replay(event, [match], in: fixture).outcomes.map(\.outcome) == [.joined])
        let stored = try await fixture.store.event(event.id).summary
        #expect(stored.runs.count == 1 && stored.status == .matched)
        await fixture.store.close()
    }

    @Test("a replay that matches nothing keeps what the event came to before; an unknown event is not found")
    func nothing() async throws {
        let fixture = try Fixture()
        let event = fixture.event("k")
        try await fixture.accept(event, matching: [.rule("a")])
        #expect(try await replay(event, [], in: fixture).status == .matched)
        let unknown = fixture.event("other")
        let error = await belfryError { _ = try await replay(unknown, [], in: fixture) }
        #expect(error?.code == .notFound)
        await fixture.store.close()
    }
}
