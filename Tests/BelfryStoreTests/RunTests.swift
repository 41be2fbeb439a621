import BelfryCore
import Foundation
import Testing

@testable import BelfryStore

/// Claims are fair and bounded; transitions are whole or not at all.
@Suite(.timeLimit(.minutes(3))) struct RunTests {
    @Test("rules take turns, whatever the length of their queues")
    func fairness() async throws {
        let fixture = try Fixture()
        for _ in 0..<6 { try await fixture.accept(fixture.event(), matching: [.rule("busy")]) }
        for name in ["b", "z"] { try await fixture.accept(fixture.event(), matching: [.rule(name)]) }
        try await fixture.accept(fixture.event(), matching: [.rule("z")])
        let places = ["busy": 9, "b": 9, "z": 9]
        func claim(_ max: Int) async throws -> [String] {
            try await fixture.store.claimRuns(max: max, concurrency: { places[$0] }).map(\.run.rule)
        }
        #expect(try await claim(2) == ["b", "busy"])
        #expect(try await claim(4) == ["z", "busy", "z", "busy"])
        #expect(try await claim(9) == ["busy", "busy", "busy"])
        #expect(try await claim(9).isEmpty)
        await fixture.store.close()
    }

    @Test("a rule has no more runs at work than its places, oldest first")
    func concurrency() async throws {
        let fixture = try Fixture()
        var expected: [RunID] = []
        for _ in 0..<5 {
            expected += try await fixture.accept(fixture.event(), matching: [.rule("r")]).runs
        }
        let first = try await fixture.store.claimRuns(max: 9, concurrency: { ["r": 2][$0] })
        #expect(first.map(\.run.id) == Array(expected[..<2]))
        #expect(first.allSatisfy { $0.run.state == .running && $0.run.started == fixture.clock.now && $0.event != nil })
        #expect(try await fixture.store.claimRuns(max: 9, concurrency: { ["r": 2][$0] }).isEmpty)
        try await fixture.store.commit(RunChange(run: expected[0], from: [.running], to: .waiting))
        #expect(
            try await fixture.store.claimRuns(max: 9, concurrency: { ["r": 2][$0] }).map(\.run.id) == [expected[2]],
            "who waits takes no place")
        try await fixture.store.commit(RunChange(run: expected[1], from: [.running], to: .failed, reason: .error))
        #expect(try await fixture.store.claimRuns(max: 9, concurrency: { ["r": 2][$0] }).map(\.run.id) == [expected[3]])
        #expect(try await fixture.store.unfinishedRuns().map(\.id) == [expected[2], expected[3]])
        await fixture.store.close()
    }

    @Test("what is queued waits while everything is paused or its rule is disabled")
    func pausedClaims() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        _ = try await store.apply(DocumentPlan(owner: .api, documents: [.rule("r"), .rule("s")]), by: .hub)
        for name in ["r", "s"] { try await fixture.accept(fixture.event(), matching: [.rule(name)]) }
        try await store.setAllPaused(true, by: .hub)
        #expect(try await store.claimRuns(max: 9, concurrency: { _ in nil }).isEmpty)
        try await store.setEnabled(false, rule: "r", by: .hub)
        try await store.setAllPaused(false, by: .hub)
        #expect(fixture.recorder.all.last?.hasQueuedRuns == true)
        #expect(try await store.claimRuns(max: 9, concurrency: { _ in nil }).map(\.run.rule) == ["s"])
        _ = try await store.apply(DocumentPlan(owner: .api, removals: [DocumentName(.rule, "r")]), by: .hub)
        #expect(
            try await store.claimRuns(max: 9, concurrency: { _ in nil }).map(\.run.rule) == ["r"], "its runs may end")
        await store.close()
    }

    @Test("a claim is a row, a RUN_STARTED frame and an audit entry")
    func claimTraces() async throws {
        let fixture = try Fixture()
        let accepted = try await fixture.accept(fixture.event(), matching: [.rule("r")])
        let claimed = try #require(try await fixture.store.claimRuns(max: 1, concurrency: { _ in nil }).first)
        let frame = try #require(fixture.recorder.frames.last)
        #expect(frame.draft.type == .runStarted && frame.draft.topic == .runs && frame.draft.run == claimed.run.id)
        #expect(frame.draft.data.value["event"] == .string(accepted.event.description))
        #expect(try await fixture.store.audit(after: 0).last?.action == "run.started")
        await fixture.store.close()
    }

    @Test("a transition from another state than expected is a conflict that says what it found")
    func conflict() async throws {
        let fixture = try Fixture()
        let run = try await fixture.accept(fixture.event(), matching: [.rule("r")]).runs[0]
        let stop = RunChange(run: run, from: [.queued, .running], to: .stopping, reason: .operator)
        try await fixture.store.commit(stop)
        let ended = try await fixture.store.commit(RunChange(run: run, from: [.stopping], to: .stopped))
        #expect(ended.reason == .operator && ended.ended == fixture.clock.now)
        let frames = fixture.recorder.frames.count
        var late = RunChange(run: run, from: [.running], to: .succeeded, reason: .completed)
        late.frames = [fixture.delta(run: run)]
        late.audit = [AuditDraft(by: .hub, action: "run.succeeded", subject: run.description)]
        late.steps = [StepRecord(run: run, index: 0, name: "s", kind: "agent")]
        let change = late
        let error = await belfryError { try await fixture.store.commit(change) }
        #expect(error?.code == .conflict && error?.details["state"] == "stopped")
        #expect(error?.details["reason"] == "operator")
        #expect(fixture.recorder.frames.count == frames)
        #expect(try await fixture.store.steps(of: run).isEmpty)
        #expect(try await fixture.store.run(run) == ended)
        let unknown = RunID(at: fixture.clock.now)
        let missing = await belfryError { try await fixture.store.commit(RunChange(run: unknown, from: [.queued])) }
        #expect(missing?.code == .notFound)
        await fixture.store.close()
    }

    @Test("steps are written whole and read back, text with NUL included")
    func steps() async throws {
        let fixture = try Fixture()
        let run = try await fixture.accept(fixture.event(), matching: [.rule("r")]).runs[0]
        let second = StepRecord(run: run, index: 1, name: "fix", kind: "command")
        var first = StepRecord(
            run: run, index: 0, name: "look", kind: "agent", state: .running, attempt: 1, started: fixture.clock.now,
            processGroup: 4242, missing: ["data.x"]
        )
        try await fixture.store.commit(RunChange(run: run, from: [.queued], to: .running, steps: [first, second]))
        first.state = .failed
        first.ended = fixture.clock.now
        first.processGroup = nil
        first.output = "a\0b"
        first.error = StoredError(BelfryError(.commandFailed, "exit 3\0"))
        first.inputTokens = 12
        let error = StoredError(code: "command_failed", message: "look failed")
        let record = try await fixture.store.commit(
            RunChange(run: run, from: [.running], to: .failed, reason: .error, error: error, attempt: 2, steps: [first])
        )
        #expect(record.error == error && record.attempt == 2)
        let again = try await fixture.reopen()
        #expect(try await again.steps(of: run) == [first, second])
        #expect(try await again.run(run) == record)
        await again.close()
    }

    @Test("lists are newest first, filtered, and go on at their cursor")
    func lists() async throws {
        let fixture = try Fixture()
        for index in 0..<7 {
            let rule = index.isMultiple(of: 2) ? "even" : "odd"
            try await fixture.accept(fixture.event("k\(index)"), matching: [.rule(rule)])
        }
        var seen: [Int64] = []
        var cursor: String?
        repeat {
            let page = try await fixture.store.runs(RunFilter(rule: "even"), cursor: cursor, max: 3)
            seen += page.items.map(\.sequence)
            cursor = page.next
        } while cursor != nil
        #expect(seen == [7, 5, 3, 1])
        #expect(try await fixture.store.runs(RunFilter(states: [.running])).items.isEmpty)
        #expect(try await fixture.store.runs(RunFilter(states: [.queued, .running]), max: 2).items.count == 2)
        let events = try await fixture.store.events(
            EventFilter(source: "plant", type: "sensor.reading", status: .matched))
        #expect(events.items.map(\.key) == (0..<7).reversed().map { "k\($0)" })
        #expect(await belfryError { _ = try await fixture.store.runs(cursor: "x") }?.code == .malformed)
        #expect(try await fixture.store.ruleActivity().map(\.runs) == [4, 3])
        #expect(try await fixture.store.sourceActivity().map(\.lastEvent) == [fixture.clock.now])
        await fixture.store.close()
    }
}
