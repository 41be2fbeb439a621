import BelfryCore
import Foundation
import Testing

@testable import BelfryStore

/// Each outcome of a match, decided from rows.
@Suite(.timeLimit(.minutes(3))) struct AdmissionTests {
    @Test(
        "what stops a match comes in this order: pauses, a mute, the breaker, loops, observing, the hour, the places")
    func order() {
        var facts = Admission.Facts(
            isAllPaused: true, isSourcePaused: true, isRuleRemoved: true, isRuleEnabled: false,
            broken: BrokenRule(since: Timestamp(seconds: 0), reason: "so"), hops: 8, unfinishedRuns: 9, isHourFull: true
        )
        let match = MatchRequest.rule("r", observes: true)
        func outcome(_ match: MatchRequest) -> String {
            let decision = Admission.decide(match, facts)
            return decision.outcome.rawValue + ": " + (decision.detail ?? "")
        }
        #expect(outcome(match) == "paused: everything is paused (belfry resume)")
        facts.isAllPaused = false
        #expect(outcome(match) == "paused: the source is paused (belfry sources resume)")
        facts.isSourcePaused = false
        #expect(outcome(match) == "paused: the rule was removed since the event was matched")
        facts.isRuleRemoved = false
        #expect(outcome(match) == "paused: the rule was disabled since the event was matched")
        facts.isRuleEnabled = true
        facts.mute = RuleMute(until: Timestamp(seconds: 1_800_000_000), by: "ann")
        #expect(outcome(match) == "paused: muted until 2027-01-15T08:00:00.000Z by ann")
        facts.mute = nil
        #expect(outcome(match) == "broken: since 1970-01-01T00:00:00.000Z: so (belfry rules enable r)")
        facts.broken = nil
        #expect(outcome(match) == "looped: 8 runs led to this event, one after the other; the limit is 8")
        facts.hops = 7
        facts.isObserving = true
        #expect(outcome(match) == "observed: mode: observe")
        #expect(outcome(.rule("r")) == "observed: switched to observe")
        facts.isObserving = false
        #expect(outcome(.rule("r")) == "limited: limits.runs_per_hour: 60 runs in the last hour")
        facts.isHourFull = false
        #expect(outcome(.rule("r")) == "queued: limits.concurrency: 4 runs not finished")
        facts.unfinishedRuns = 3
        #expect(outcome(.rule("r")) == "started: ")
    }

    @Test("runs beyond the rule's places are queued, until one ends")
    func queued() async throws {
        let fixture = try Fixture()
        func outcome() async throws -> Outcome? {
            try await fixture.accept(fixture.event(), matching: [.rule("r", concurrency: 2)]).outcomes.first?.outcome
        }
        #expect(try await [outcome(), outcome(), outcome()] == [.started, .started, .queued])
        for claimed in try await fixture.store.claimRuns(max: 9, concurrency: { ["r": 3][$0] }) {
            try await fixture.store.commit(RunChange(run: claimed.run.id, from: [.running], to: .succeeded))
        }
        #expect(try await outcome() == .started)
        await fixture.store.close()
    }

    @Test("runs_per_hour holds over any hour, not over the clock's")
    func limited() async throws {
        let fixture = try Fixture()
        func outcome(_ rule: String = "r") async throws -> Outcome? {
            try await fixture.accept(fixture.event(), matching: [.rule(rule, concurrency: 99, runsPerHour: 2)])
                .outcomes.first?.outcome
        }
        #expect(try await outcome() == .started)
        fixture.clock.advance(by: .seconds(1800))
        #expect(try await outcome() == .started)
        #expect(try await outcome() == .limited)
        #expect(try await outcome("other") == .started)
        fixture.clock.advance(by: .seconds(1800) - .milliseconds(1))
        #expect(try await outcome() == .limited)
        fixture.clock.advance(by: .milliseconds(1))
        #expect(try await outcome() == .started, "an hour after the first")
        #expect(try await outcome() == .limited)
        fixture.clock.advance(by: .seconds(1801))
        #expect(try await outcome() == .started)
        await fixture.store.close()
    }

    @Test("runs that a clock gone wrong has dated ahead do not fill the hours until then")
    func clockSetBack() async throws {
        let fixture = try Fixture()
        func outcome() async throws -> Outcome? {
            try await fixture.accept(fixture.event(), matching: [.rule("r", concurrency: 99, runsPerHour: 2)])
                .outcomes.first?.outcome
        }
        #expect(try await [outcome(), outcome(), outcome()] == [.started, .started, .limited])
        fixture.clock.advance(by: .seconds(-60))
        #expect(try await outcome() == .limited, "a step back of a minute frees nothing")
        fixture.clock.advance(by: .seconds(-86_400))
        #expect(try await [outcome(), outcome(), outcome()] == [.started, .started, .limited])
        await fixture.store.close()
    }

    @Test("paused sources, rules switched off meanwhile and a paused hub store and start nothing")
    func paused() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        let plan = DocumentPlan(owner: .api, documents: [.rule("r"), .source("plant")])
        _ = try await store.apply(plan, by: .hub)
        func accept() async throws -> (EventStatus, String?) {
            let accepted = try await fixture.accept(fixture.event(), matching: [.rule("r")])
            return (accepted.status, try await store.matches(of: accepted.event).first?.detail)
        }
        try await store.setPaused(true, source: "plant", by: .hub)
        #expect(try await accept() == (.paused, "the source is paused (belfry sources resume)"))
        #expect(try await fixture.accept(fixture.event()).status == .paused)
        try await store.setPaused(false, source: "plant", by: .hub)
        try await store.setAllPaused(true, by: .hub)
        #expect(try await accept() == (.paused, "everything is paused (belfry resume)"))
        try await store.setAllPaused(false, by: .hub)
        try await store.setEnabled(false, rule: "r", by: .hub)
        #expect(try await accept() == (.paused, "the rule was disabled since the event was matched"))
        try await store.setEnabled(true, rule: "r", by: .hub)
        #expect(try await accept() == (.matched, nil))
        _ = try await store.apply(DocumentPlan(owner: .api, removals: [DocumentName(.rule, "r")]), by: .hub)
        #expect(try await accept() == (.paused, "the rule was removed since the event was matched"))
        await store.close()
    }

    @Test("an event that eight runs led to starts nothing, whatever it matches, also when it is replayed")
    func looped() async throws {
        let fixture = try Fixture()
        var event = fixture.event("k")
        event.hops = 8
        let accepted = try await fixture.accept(event, matching: [.rule("a"), .rule("b")])
        #expect(accepted.outcomes.map(\.outcome) == [.looped, .looped] && accepted.status == .accepted)
        let stored = try await fixture.store.event(event.id)
        #expect(stored.event == event && stored.summary.hops == 8)
        let replay = EventReplay(event: stored.event, ruleSetVersion: 1, matches: [.rule("a")])
        #expect(try await fixture.store.replay(replay, by: .hub).outcomes.map(\.outcome) == [.looped])
        await fixture.store.close()
    }

    @Test("a rule that observes is recorded and starts nothing")
    func observed() async throws {
        let fixture = try Fixture()
        let accepted = try await fixture.accept(fixture.event(), matching: [.rule("r", observes: true)])
        #expect(accepted.status == .accepted && accepted.runs.isEmpty)
        #expect(try await fixture.store.matches(of: accepted.event).map(\.outcome) == [.observed])
        await fixture.store.close()
    }
}

extension DocumentDraft {
    static func rule(_ name: String, _ text: String = "a") -> DocumentDraft {
        DocumentDraft(
            kind: .rule, name: name, text: text, canonical: RawJSON(["rule": .string(name), "text": .string(text)])
        )
    }
    static func source(_ name: String, _ text: String = "a") -> DocumentDraft {
        DocumentDraft(kind: .source, name: name, text: text, canonical: RawJSON(["source": .string(name)]))
    }
}
