import BelfryCore
import BelfryStore
import Testing

@testable import BelfryEngine

/// Ended runs that are begun again, and runs that a person starts.
@Suite(.timeLimit(.minutes(3))) struct RetryTests {
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
            let command = CommandID(at: Timestamp(seconds: 1_790_000_000))
            func start(_ event: JSONObject) async throws -> CommandAnswer {
                try await test.hub.startRun(rule: "flaky", event: event, id: command, by: .hub)
            }
            let given: JSONObject = ["type": "try", "source": "elsewhere", "data": ["n": 1]]
            let first = try await start(given)
            let run = try #require(first.run)
            #expect(first.result == .applied && first.details["outcome"] == "started")
            #expect(try await test.framesToEnd(of: run).text == "seen")
            let id = try #require(first.details["event"]?.string.flatMap { EventID($0) })
            let event = try await test.hub.store.event(id).event
            #expect(event.source == "manual" && event.origin == "elsewhere" && event.data.value == ["n": 1])

            let again = try await start(given)
            #expect(again.result == .applied && again.details == first.details)
            #expect(try await start(["type": "other"]).reason == "another command was sent under this id")
            #expect(try await test.hub.runs(state: nil, rule: nil, limit: 9, cursor: nil).items.count == 1)
            for event: JSONObject in [
                ["action": "opened"], ["type": 5], ["type": "", "data": [:]],
                ["type": .string(String(repeating: "x", count: 1025))],
            ] {
                await #expect(throws: BelfryError.self) {
                    _ = try await test.hub.startRun(rule: "flaky", event: event, by: .hub)
                }
            }
            await #expect(throws: BelfryError.self) {
                _ = try await test.hub.startRun(rule: "none", event: [:], by: .hub)
            }
        }
    }

    @Test("what a rule's limits or a pause keep from starting is stored and refused, and says where to ask")
    func startsNothing() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            try await test.hub.pauseAll(true, by: .hub)
            let answer = try await test.hub.startRun(rule: "flaky", event: [:], by: .hub)
            #expect(answer.result == .rejected && answer.run == nil)
            let event = try #require(answer.details["event"]?.string)
            #expect(answer.reason?.hasPrefix("paused: ") == true)
            #expect(answer.reason?.contains("belfry events why \(event)") == true)
            try await test.hub.pauseAll(false, by: .hub)
            try await test.hub.setEnabled(rule: "flaky", false, by: .hub)
            await #expect(throws: BelfryError.self) {
                _ = try await test.hub.startRun(rule: "flaky", event: [:], by: .hub)
            }
        }
    }
}
