import BelfryCore
import BelfryStore
import Testing

@testable import BelfryEngine

/// Ended runs that are begun again, and runs that a person starts.
@Suite(.timeLimit(.minutes(1))) struct RetryTests {
    private static let documents = """
        source: lab
        preset: none
        ---
        agent: parrot
        kind: echo
        words_per_second: 1000
        ---
        rule: flaky
        when: { source: [lab] }
        run:
          steps:
            - { step: look, agent: parrot, prompt: "seen" }
            - { step: act, command: [shell, "-c", "exit 3"] }
            - { step: tell, agent: parrot, prompt: "done" }
        """

    @Test("a retry keeps what has succeeded, begins at what failed, and is made once for its command")
    func retry() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            let run = try #require(try await test.post("{}", to: "lab").first?.runs.first)
            _ = try await test.framesToEnd(of: run)
            let failed = try await test.hub.run(run).run
            #expect(failed.state == .failed)
            let command = CommandID(at: failed.created)
            func retry(_ from: String?) async throws -> CommandAnswer {
                try await test.hub.retry(run, from: from, latest: false, command: command, by: .hub)
            }
            let answer = try await retry(nil)
            #expect(answer.result == .applied, "\(answer.reason ?? "")")
            let second = try #require(answer.run)
            let frames = try await test.framesToEnd(of: second)
            #expect(!frames.types.contains(.textMessageContent), "look has not run again")
            let (record, steps) = try await test.hub.run(second)
            #expect(record.retryOf == run && record.state == .failed)
            #expect(steps.map(\.name) == ["look", "act"] && steps[0].attempt == 1 && steps[0].output == "seen")
            #expect(try await retry(nil).run == second)
            #expect(try await retry("tell").result == .rejected)
            let unknown = try await test.hub.retry(run, from: "none", latest: false, command: nil, by: .hub)
            #expect(unknown.result == .rejected && unknown.reason?.contains("steps are: look, act, tell") == true)
            let last = try await test.hub.retry(run, from: "look", latest: true, command: nil, by: .hub)
            #expect(try await test.framesToEnd(of: try #require(last.run)).text == "seen")
            #expect(try await test.hub.verifyAudit().isIntact)
        }
    }

    @Test("an unknown run is not found")
    func tooEarly() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            _ = await #expect(throws: BelfryError.self) {
                _ = try await test.hub.retry(
                    RunID(at: Timestamp(seconds: 1)), from: nil, latest: false, command: nil, by: .hub)
            }
        }
    }

    @Test("a person starts a run of a rule with an event of their own, whatever its pattern says")
    func start() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            let event = try await test.hub.startRun(rule: "flaky", event: ["type": "try"], by: .hub)
            let run = try #require(event.runs.first)
            #expect(try await test.framesToEnd(of: run).text == "seen")
            await #expect(throws: BelfryError.self) {
                _ = try await test.hub.startRun(rule: "none", event: [:], by: .hub)
            }
        }
    }
}
