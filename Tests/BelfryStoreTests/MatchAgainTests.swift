import BelfryCore
import Foundation
import Testing

@testable import BelfryStore

/// A repeated delivery whose event has started nothing is matched again, as it is stored.
@Suite(.timeLimit(.minutes(3))) struct MatchAgainTests {
    /// What the engine does with a repetition: today's matches of what is stored.
    private func again(
        _ key: String, _ rules: [MatchRequest], version: Int64 = 2, data: String = "{}", in fixture: borrowing Fixture
    ) async throws -> AcceptedEvent {
        var delivery = fixture.delivery([AcceptedDelivery.Item(event: fixture.event(key, data: #"{"other":true}"#))])
        delivery.ruleSetVersion = version
        let duplicate = try #require(try await fixture.store.accept(delivery).first)
        #expect(duplicate.status == .duplicate)
        guard duplicate.mayMatchAgain else { return duplicate }
        let stored = try await fixture.store.event(duplicate.event).event
        #expect(stored.data.text.filter { $0 != " " } == data)
        let replay = EventReplay(event: stored, ruleSetVersion: version, matches: rules)
        return try await fixture.store.matchAgain(replay, duplicate: duplicate, of: delivery)
    }

    @Test("what no rule matched starts on mended rules: a new round, a run, a frame and an audit entry of the source")
    func filtered() async throws {
        let fixture = try Fixture()
        let first = try await fixture.accept(fixture.event("k"))
        #expect(try await again("k", [], version: 1, in: fixture).mayMatchAgain == false, "the same rules")
        fixture.clock.advance(by: .seconds(7200))
        let matched = try await again("k", [.rule("mended")], in: fixture)
        #expect(matched.status == .matched && matched.event == first.event && matched.runs.count == 1)
        #expect(matched.firstSeen != nil)
        let summary = try await fixture.store.event(first.event).summary
        #expect(summary.status == .matched && summary.runs == matched.runs && summary.ruleSetVersion == 2)
        #expect(try await fixture.store.matches(of: first.event).map(\.round) == [1])
        let entry = try #require(try await fixture.store.audit(after: 0).last)
        #expect(entry.action == "event.matched_again" && entry.actor == "source/plant")
        #expect(try await fixture.store.verifyAudit().brokenAt == nil)
        let third = try await again("k", [.rule("mended")], version: 3, in: fixture)
        #expect(third.status == .duplicate && third.runs == matched.runs, "it has started something now")
        await fixture.store.close()
    }

    @Test(
        "what was only limited, paused, broken, observed or looped is matched again; all else is a duplicate",
        arguments: Outcome.allCases)
    func outcomes(outcome: Outcome) async throws {
        let fixture = try Fixture()
        try await fixture.accept(
            fixture.event("k"), matching: [.rule("a", observes: true), .rule("b", observes: true)])
        try fixture.sql("UPDATE matches SET outcome = '\(outcome.rawValue)' WHERE rule = 'b'")
        let isFree = [.limited, .paused, .broken, .observed, .looped].contains(outcome)
        #expect(try await again("k", [.rule("a")], in: fixture).status == (isFree ? .matched : .duplicate))
        await fixture.store.close()
    }

    @Test("what a group was refused a run for is matched again; what a group counts, or has counted, is a duplicate")
    func groups() async throws {
        let fixture = try Fixture()
        func post(_ key: String, _ policy: GroupPolicy, runsPerHour: Int) async throws -> MatchRequest {
            let event = fixture.event(key, data: #"{"sensor": "\#(key.prefix(1))"}"#)
            var match = MatchRequest.grouped(policy, event)
            match.limits.runsPerHour = runsPerHour
            try await fixture.accept(event, matching: [match])
            match.limits.runsPerHour = 99
            return match
        }
        func status(_ key: String, _ match: MatchRequest) async throws -> EventStatus {
            try await again(key, [match], data: #"{"sensor":"\#(key.prefix(1))"}"#, in: fixture).status
        }
        let limited = try await post("a", .with(), runsPerHour: 0)
        #expect(try await status("a", limited) == .matched)
        let pair = GroupPolicy.with(within: 60, threshold: 2)
        let first = try await post("b1", pair, runsPerHour: 0)
        #expect(try await status("b1", first) == .duplicate, "its group waits")
        _ = try await post("b2", pair, runsPerHour: 0)
        #expect(try await status("b1", first) == .accepted, "the group was limited: it counts to another one")
        #expect(try await status("b1", first) == .duplicate)
        fixture.clock.advance(by: .seconds(60))
        try await fixture.store.fireTimers { .rule($0) }
        #expect(try await status("b1", first) == .duplicate, "below_threshold")
        await fixture.store.close()
    }

    @Test("of two repetitions at the same time one matches it again")
    func race() async throws {
        let fixture = try Fixture()
        let event = fixture.event("k")
        try await fixture.accept(event)
        let delivery = fixture.delivery([])
        let duplicate = AcceptedEvent(event: event.id, status: .duplicate, firstSeen: fixture.clock.now)
        let replay = EventReplay(event: event, ruleSetVersion: 2, matches: [.rule("a")])
        let store = fixture.store
        async let one = store.matchAgain(replay, duplicate: duplicate, of: delivery)
        async let other = store.matchAgain(replay, duplicate: duplicate, of: delivery)
        let both = try await [one, other]
        #expect(Set(both.map(\.status)) == [.matched, .duplicate] && both[0].runs == both[1].runs)
        #expect(try fixture.number("SELECT count(*) FROM runs") == 1)
        await store.close()
    }
}
