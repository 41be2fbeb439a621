import BelfryCore
import BelfryStore
import Testing

@testable import BelfryEngine

/// All runs are stopped by one word.
@Suite(.timeLimit(.minutes(3))) struct StopAllTests {
    /// A word a second: it does not end by itself while the test is at it.
    private static let words = (1...300).map { "word-\($0)" }.joined(separator: " ")
    private static let documents = """
        source: lab
        preset: none
        ---
        agent: slow
        kind: echo
        words_per_second: 1
        ---
        rule: talk
        when: { source: [lab], data: { talk: [true] } }
        limits: { concurrency: 40, runs_per_hour: 1000 }
        run: { steps: [ { step: say, agent: slow, prompt: "\(words)" } ] }
        ---
        rule: ask
        when: { source: [lab], data: { ask: [true] } }
        limits: { concurrency: 2 }
        run: { steps: [ { step: confirm, approve: "Go on?" } ] }
        """

    @Test("those that work, wait and are queued are stopped side by side, of one rule or of all, and are counted")
    func stopAll() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            var talks: [RunID] = []
            for _ in 0..<30 { talks += try await test.post(#"{"talk":true}"#, to: "lab").flatMap(\.runs) }
            for _ in 0..<4 { _ = try await test.post(#"{"ask":true}"#, to: "lab") }
            for run in talks { _ = try await test.frames(of: run) { $0.draft.type == .textMessageContent } }

            let command = CommandID(at: Timestamp(seconds: 1_790_000_000))
            let asked = try await test.hub.stopRuns(ofRule: "ask", id: command, by: .hub)
            #expect(asked.result == .applied && asked.details["stopped"] == 4, "\(asked)")
            #expect(try await test.hub.run(talks[0]).run.state == .running)

            let clock = ContinuousClock()
            let began = clock.now
            let all = try await test.hub.stopRuns(by: .hub)
            // One after the other each would wait for commits of its own.
            #expect(clock.now - began < .seconds(5))
            #expect(all.details["stopped"] == 30 && all.details["unconfirmed"] == 0, "\(all)")
            #expect(all.details["more"] == false && all.details["runs"] == nil)
            let runs = try await test.hub.runs(state: nil, rule: nil, limit: 100, cursor: nil).items
            #expect(runs.count == 34 && runs.allSatisfy { $0.state == .stopped && $0.reason == .operator })

            #expect(try await test.hub.stopRuns(by: .hub).details["stopped"] == 0)
            let again = try await test.hub.stopRuns(ofRule: "ask", id: command, by: .hub)
            #expect(again.details == asked.details)
            let other = try await test.hub.stopRuns(id: command, by: .hub)
            #expect(other.reason == "another command was sent under this id")
            await #expect(throws: BelfryError.self) { _ = try await test.hub.stopRuns(ofRule: "tlak", by: .hub) }
            let audit = try await test.hub.store.audit(cursor: nil, max: Limits.pageRowsMax).items
            #expect(audit.contains { $0.action == "runs.stop" && $0.subject == "rule/ask" })
            #expect(try await test.hub.verifyAudit().isIntact)
        }
    }
}
