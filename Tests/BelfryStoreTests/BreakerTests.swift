import BelfryCore
import Foundation
import Testing

@testable import BelfryStore

/// Runs that fail one after the other open their rule's breaker; an operator closes it.
@Suite(.timeLimit(.minutes(3))) struct BreakerTests {
    private static let failure = StoredError(code: "command_failed", message: "exit code 3\u{0}\u{202E}")

    /// A run of the rule `r` that ends so.
    @discardableResult
    private func end(
        _ state: RunState, _ reason: EndReason, failures: Int = 3, in fixture: borrowing Fixture
    ) async throws -> RunID {
        let run = try #require(
            try await fixture.accept(fixture.event(), matching: [.rule("r", concurrency: 99, runsPerHour: 9999)])
                .runs.first)
        var change = RunChange(run: run, from: [.queued], to: state, reason: reason)
        if state == .failed { change.error = Self.failure }
        change.limits.failures = failures
        try await fixture.store.commit(change)
        return run
    }

    private func fixture() async throws -> Fixture {
        let fixture = try Fixture()
        _ = try await fixture.store.apply(DocumentPlan(owner: .api, documents: [.rule("r")]), by: .hub)
        return fixture
    }

    @Test("the last of so many failures opens it: state, RULES frame, audit and notice; matches say since when and why")
    func opens() async throws {
        let fixture = try await fixture()
        for _ in 0..<2 { try await end(.failed, .error, in: fixture) }
        #expect(try await fixture.store.brokenRules().isEmpty)
        fixture.clock.advance(by: .seconds(5))
        let run = try await end(.failed, .timeout, in: fixture)
        let broken = try #require(try await fixture.store.brokenRules()["r"])
        #expect(broken.since == fixture.clock.now)
        #expect(broken.reason == "3 runs in a row failed, the last of: exit code 3  ")

        let frames = fixture.recorder.frames.suffix(2).map(\.draft)
        #expect(frames.map(\.type) == [.rules, .notice])
        #expect(frames[0].data.value["broken"]?["reason"]?.string == broken.reason)
        #expect(frames[1].data.value["kind"] == "rule_broken" && frames[1].rule == "r" && frames[1].run == run)
        #expect(frames[1].data.value["text"]?.string?.hasSuffix("until: belfry rules enable r") == true)
        let entry = try #require(try await fixture.store.audit(after: 0).last)
        #expect(entry.action == "rule.broken" && entry.actor == "belfry" && entry.subject == "rule/r")
        #expect(entry.detail.value["code"] == "command_failed" && entry.detail.value["failures"]?.number?.int64 == 3)
        #expect(try await fixture.store.verifyAudit().brokenAt == nil)

        let accepted = try await fixture.accept(fixture.event(), matching: [.rule("r", observes: true)])
        #expect(accepted.status == .accepted && accepted.outcomes.map(\.outcome) == [.broken])
        #expect(
            try await fixture.store.matches(of: accepted.event).first?.detail
                == "since \(broken.since): \(broken.reason) (belfry rules enable r)")
        await fixture.store.close()
    }

    @Test("a success begins the count anew; what operators, crashes and budgets end is not counted")
    func counts() async throws {
        let fixture = try await fixture()
        for _ in 0..<2 { try await end(.failed, .error, in: fixture) }
        try await end(.succeeded, .completed, in: fixture)
        for _ in 0..<2 { try await end(.failed, .error, in: fixture) }
        for reason in [EndReason.interrupted, .budget] { try await end(.failed, reason, in: fixture) }
        try await end(.stopped, .operator, in: fixture)
        try await end(.expired, .maxWait, in: fixture)
        #expect(try await fixture.store.brokenRules().isEmpty)
        try await end(.failed, .error, in: fixture)
        #expect(try await fixture.store.brokenRules().count == 1)
        await fixture.store.close()
    }

    @Test("failures: 0 never opens it")
    func never() async throws {
        let fixture = try await fixture()
        for _ in 0..<20 { try await end(.failed, .error, failures: 0, in: fixture) }
        #expect(try await fixture.store.brokenRules().isEmpty)
        await fixture.store.close()
    }

    @Test("whatever the ends of runs, it is open exactly if the last three that count failed, until it is enabled")
    func property() async throws {
        let fixture = try await fixture()
        var generator = SeededGenerator(seed: 20_261_123)
        var failures = 0
        var isBroken = false
        for _ in 0..<300 {
            if isBroken, Int.random(in: 0..<4, using: &generator) == 0 {
                try await fixture.store.setEnabled(true, rule: "r", by: .hub)
                (failures, isBroken) = (0, false)
            }
            let ends: [(RunState, EndReason)] = [
                (.failed, .error), (.failed, .timeout), (.failed, .interrupted), (.stopped, .operator),
                (.succeeded, .completed),
            ]
            let (state, reason) = try #require(ends.randomElement(using: &generator))
            // Of a broken rule no run begins; those that were at work go on to their end.
            if isBroken { try fixture.sql("UPDATE rule_state SET broken_since = NULL") }
            let run = try #require(
                try await fixture.accept(fixture.event(), matching: [.rule("r", concurrency: 9, runsPerHour: 999)])
                    .runs.first)
            if isBroken { try fixture.sql("UPDATE rule_state SET broken_since = 1") }
            var change = RunChange(run: run, from: [.queued], to: state, reason: reason)
            change.limits.failures = 3
            try await fixture.store.commit(change)
            if state == .succeeded { failures = 0 }
            if state == .failed, reason != .interrupted { failures += 1 }
            isBroken = isBroken || failures >= 3
            #expect(try await fixture.store.brokenRules().isEmpty != isBroken)
        }
        await fixture.store.close()
    }

    @Test("queued runs of a broken rule wait, also over a restart; enabling closes it and lets them go on")
    func enable() async throws {
        let fixture = try await fixture()
        let waiting = try await fixture.accept(fixture.event(), matching: [.rule("r", concurrency: 9)]).runs
        for _ in 0..<3 { try await end(.failed, .error, in: fixture) }
        #expect(try await fixture.store.claimRuns(max: 9, concurrency: { ["r": 9][$0] }).isEmpty)
        let store = try await fixture.reopen()
        #expect(try await store.claimRuns(max: 9, concurrency: { ["r": 9][$0] }).isEmpty)
        #expect(try await store.brokenRules().keys.sorted() == ["r"])

        let version = try await store.setEnabled(true, rule: "r", by: .hub)
        #expect(version == 1, "the rules are the same")
        #expect(try await store.brokenRules().isEmpty)
        #expect(fixture.recorder.all.last?.hasQueuedRuns == true)
        let frame = try #require(fixture.recorder.frames.last?.draft)
        #expect(frame.type == .rules && frame.data.value["broken"]?.isNull == true)
        #expect(try await store.audit(after: 0).last?.action == "rule.enabled")
        #expect(try await store.claimRuns(max: 9, concurrency: { ["r": 9][$0] }).map(\.run.id) == waiting)
        let frames = fixture.recorder.frames.count
        _ = try await store.setEnabled(true, rule: "r", by: .hub)
        #expect(fixture.recorder.frames.count == frames, "nothing to close, nothing to say")
        await store.close()
    }
}

extension Store {
    fileprivate func brokenRules() async throws -> [String: BrokenRule] {
        try await ruleStates().compactMapValues(\.broken)
    }
}
