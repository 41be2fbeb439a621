import BelfryCore
import BelfryStore
import Logging
import Testing

@testable import BelfryEngine

/// `limits.run_time`: a run has so long, whatever it does.
@Suite(.timeLimit(.minutes(3))) struct RunTimeTests {
    private static func documents(steps: String) -> String {
        """
        source: lab
        preset: none
        ---
        agent: parrot
        kind: echo
        words_per_second: 1
        ---
        rule: bounded
        when: { source: [lab] }
        limits: { run_time: 1h }
        run:
          steps:
        \(steps)
        """
    }

    private static let asks = documents(
        steps: "    - { step: ask, approve: Well?, expires: 2d }\n    - { step: never, agent: parrot, prompt: x }")

    private func begin(_ test: TestHub, until state: JSONValue = "waiting") async throws -> RunID {
        let run = try #require(try await test.post("{}", to: "lab").first?.runs.first)
        _ = try await test.frames(of: run) { $0.draft.data.value["state"] == state }
        return run
    }

    private func checkEnd(of run: RunID, _ test: TestHub) async throws {
        _ = try await test.framesToEnd(of: run)
        let (record, steps) = try await test.hub.run(run)
        #expect(record.state == .failed && record.reason == .timeout)
        #expect(record.error?.message == "the run took longer than 1h (limits.run_time)", "\(record)")
        #expect(steps.map(\.state) == [.stopped] && steps[0].due == nil)
        #expect(try await test.hub.approvals(isOpen: true, run: run, limit: 9, cursor: nil).items.isEmpty)
        #expect(try await test.hub.store.nextTimer() == nil)
        #expect(try await test.hub.verifyAudit().isIntact)
    }

    @Test("a run that waits for a person ends when its time is over, and its question is withdrawn")
    func waiting() async throws {
        let clock = SteppedClock()
        try await TestHub.with(documents: Self.asks, clock: WallClock { clock.now }) { test in
            let run = try await begin(test)
            let started = try #require(try await test.hub.run(run).run.started)
            #expect(try await test.hub.store.nextTimer() == started + .seconds(3600))
            test.set(clock, to: started + .seconds(3599))
            #expect(try await test.hub.run(run).run.state == .waiting)
            test.set(clock, to: started + .seconds(3600))
            try await checkEnd(of: run, test)
        }
    }

    @Test("a step at work is cut when the run's time is over")
    func atWork() async throws {
        let clock = SteppedClock()
        let words = String(repeating: "word ", count: 500)
        let documents = Self.documents(steps: "    - { step: talk, agent: parrot, prompt: \"\(words)\" }")
        try await TestHub.with(documents: documents, clock: WallClock { clock.now }) { test in
            let run = try #require(try await test.post("{}", to: "lab").first?.runs.first)
            _ = try await test.frames(of: run) { $0.draft.type == .textMessageStart }
            test.set(clock, to: clock.now + .seconds(3601))
            try await checkEnd(of: run, test)
        }
    }

    @Test("a run that ends in time leaves no timer behind")
    func inTime() async throws {
        let documents = Self.documents(steps: "    - { step: talk, agent: parrot, prompt: short }")
        try await TestHub.with(documents: documents) { test in
            let run = try await begin(test, until: "succeeded")
            #expect(try await test.hub.run(run).run.state == .succeeded)
            #expect(try await test.hub.store.nextTimer() == nil)
        }
    }

    @Test("what is over while the hub is down ends at its start, also when a crash came between the timer and the run")
    func restart() async throws {
        for isHeard in [true, false] {
            let (folder, clock) = (try TestFolder(), SteppedClock())
            let run = try await TestHub.with(
                documents: Self.asks, folder: folder, clock: WallClock { clock.now }
            ) { test in try await begin(test) }
            clock.set(to: clock.now + .seconds(3601))
            if !isHeard {
                let store = try Store.open(
                    StoreConfiguration(folder: folder.path, clock: WallClock { clock.now }),
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, onCommit: { _ in })
                #expect(try await store.fireTimers(rule: { _ in nil }) == 1)
                await store.close()
            }
            try await TestHub.with(
                documents: Self.asks, folder: folder, clock: WallClock { clock.now }
            ) { test in try await checkEnd(of: run, test) }
        }
    }

    @Test("a step at work when the hub ended does not begin anew once the run's time is over")
    func interrupted() async throws {
        let (folder, clock) = (try TestFolder(), SteppedClock())
        let words = String(repeating: "word ", count: 500)
        let documents = Self.documents(steps: "    - { step: talk, agent: parrot, prompt: \"\(words)\" }")
        let run = try await TestHub.with(documents: documents, folder: folder, clock: WallClock { clock.now }) { test in
            let run = try #require(try await test.post("{}", to: "lab").first?.runs.first)
            _ = try await test.frames(of: run) { $0.draft.type == .textMessageStart }
            return run
        }
        clock.set(to: clock.now + .seconds(3601))
        try await TestHub.with(documents: documents, folder: folder, clock: WallClock { clock.now }) { test in
            let begun = try await test.framesToEnd(of: run).filter { $0.draft.type == .stepStarted }
            #expect(begun.count == 1)
            #expect(try await test.hub.run(run).run.reason == .timeout)
        }
    }
}
