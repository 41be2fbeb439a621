import BelfryCore
import Testing

@testable import BelfryStore

/// What operators say of a rule beside its document.
@Suite(.timeLimit(.minutes(3))) struct RuleStateTests {
    private let ann = Principal(token: nil, name: "ann", role: .operator)

    private func outcome(_ fixture: borrowing Fixture, _ match: MatchRequest) async throws -> String {
        let accepted = try await fixture.accept(fixture.event(), matching: [match])
        let row = try #require(try await fixture.store.matches(of: accepted.event).first)
        return "\(row.outcome.rawValue): \(row.detail ?? "")"
    }

    @Test("a muted rule's matches are paused, without a notice, until the time has come")
    func muted() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        _ = try await store.apply(DocumentPlan(owner: .api, documents: [.rule("r")]), by: ann)
        let until = fixture.clock.now + .seconds(7200)
        try await store.mute(rule: "r", until: until, by: ann)
        var match = MatchRequest.rule("r")
        match.notifies = true
        #expect(try await outcome(fixture, match) == "paused: muted until \(until) by ann")
        #expect(!fixture.recorder.frames.contains { $0.draft.type == .notice })
        #expect(try await store.ruleStates()["r"]?.mute(at: fixture.clock.now)?.until == until)
        fixture.clock.advance(by: .seconds(7200))
        #expect(try await outcome(fixture, match) == "started: ")
        #expect(fixture.recorder.frames.contains { $0.draft.type == .notice })
        #expect(try await store.ruleState(of: "r").mute(at: fixture.clock.now) == nil)
        await store.close()
    }

    @Test("a mute survives a restart, another switch does not take its name, and it can be ended")
    func mutedAcrossRestart() async throws {
        let fixture = try Fixture()
        let first = fixture.store
        _ = try await first.apply(DocumentPlan(owner: .api, documents: [.rule("r")]), by: .hub)
        try await first.mute(rule: "r", until: fixture.clock.now + .seconds(60), by: ann)
        try await first.setObserving(true, rule: "r", by: .hub)
        let store = try await fixture.reopen()
        let state = try await store.ruleState(of: "r")
        #expect(state.mute(at: fixture.clock.now)?.by == "ann" && state.isObserving)
        try await store.mute(rule: "r", until: nil, by: .hub)
        try await store.mute(rule: "r", until: nil, by: .hub)
        #expect(try await store.ruleState(of: "r").mute(at: fixture.clock.now) == nil)
        let actions = try await store.audit(after: 0).map(\.action)
        #expect(actions == ["rule.created", "rule.muted", "rule.observed", "rule.unmuted"])
        await store.close()
    }

    @Test("a rule that is switched to observe records its matches; the switch ends with the rule")
    func observing() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        let plan = DocumentPlan(owner: .api, documents: [.rule("r")])
        _ = try await store.apply(plan, by: ann)
        try await store.setObserving(true, rule: "r", by: ann)
        #expect(try await outcome(fixture, .rule("r")) == "observed: switched to observe")
        try await store.setObserving(false, rule: "r", by: ann)
        #expect(try await outcome(fixture, .rule("r")) == "started: ")
        try await store.setObserving(true, rule: "r", by: ann)
        _ = try await store.apply(DocumentPlan(owner: .api, removals: [DocumentName(.rule, "r")]), by: ann)
        #expect(await belfryError { try await store.setObserving(true, rule: "r", by: ann) }?.code == .notFound)
        _ = try await store.apply(plan, by: ann)
        #expect(try await store.ruleState(of: "r") == RuleState())
        await store.close()
    }
}
