import BelfryCore
import BelfryStore
import Testing

@testable import BelfryEngine

/// Commands that come early, or again before they are answered.
@Suite(.timeLimit(.minutes(3))) struct CommandTests {
    private let anna = Principal(token: nil, name: "anna", role: .operator)

    @Test("what is said to a run that is still queued holds when it begins")
    func queued() async throws {
        let documents = """
            source: lab
            preset: none
            ---
            agent: slow
            kind: echo
            words_per_second: 1
            ---
            rule: one-at-a-time
            when: { source: [lab] }
            limits: { concurrency: 1 }
            run:
              steps:
                - { step: talk, agent: slow, prompt: "one two three four five six seven eight nine ten" }
                - { step: rest, agent: slow, prompt: said }
            """
        try await TestHub.with(documents: documents) { test in
            let first = try #require(try await test.post(#"{"n":1}"#, to: "lab").first?.runs.first)
            _ = try await test.frames(of: first) { $0.draft.type == .textMessageContent }
            let queued = try #require(try await test.post(#"{"n":2}"#, to: "lab").first?.runs.first)
            #expect(try await test.say(.skip(step: "talk", output: "x"), on: queued, by: anna).result == .applied)
            let adjustment = RunAdjustment(steps: ["rest": .init(prompt: .some("adjusted"))])
            #expect(try await test.say(.adjust(adjustment), on: queued, by: anna).result == .applied)
            #expect(try await test.hub.run(queued).run.state == .queued)
            #expect(try await test.say(.stop, on: first, by: anna).result == .applied)
            #expect(try await test.framesToEnd(of: queued).text == "adjusted")
            let steps = try await test.hub.run(queued).steps
            #expect(steps.map(\.state) == [.skipped, .succeeded] && steps[0].output == "x")
        }
    }

    @Test("a stop and a skip that come again while their step is being ended get the answer that it gets")
    func again() async throws {
        let documents = """
            source: lab
            preset: none
            ---
            rule: stubborn
            when: { source: [lab] }
            run:
              steps:
                - { step: work, command: [shell, "-c", "trap 'sleep 0.5; exit' TERM; echo up; while :; do sleep 0.05; done"] }
            """
        try await TestHub.with(documents: documents, commands: ["shell": "/bin/sh"]) { test in
            for kind in [RunCommandKind.stop, .skip(step: "work", output: nil)] {
                let run = try #require(try await test.post("{}", to: "lab").first?.runs.first)
                _ = try await test.frames(of: run) { $0.draft.type == .textMessageContent }
                let id = CommandID(at: Timestamp(seconds: kind == .stop ? 1_790_000_000 : 1_790_000_001))
                async let first = test.say(kind, on: run, id: id, by: anna)
                async let second = test.say(kind, on: run, id: id, by: anna)
                let answers = try await [first, second]
                #expect(answers.map(\.result) == [.applied, .applied], "\(answers)")
                #expect(try await test.say(kind, on: run, id: id, by: anna).result == .applied)
            }
        }
    }

    @Test("a step that is begun anew when the budget is used up ends with its run")
    func restartBeyondBudget() async throws {
        let documents = """
            source: lab
            preset: none
            ---
            agent: slow
            kind: echo
            words_per_second: 1
            ---
            rule: r
            when: { source: [lab] }
            limits: { tokens_per_day: 1 }
            run:
              steps: [ { step: talk, agent: slow, prompt: "one two three four five six seven eight nine ten" } ]
            """
        try await TestHub.with(documents: documents) { test in
            let run = try #require(try await test.post("{}", to: "lab").first?.runs.first)
            _ = try await test.frames(of: run) { $0.draft.type == .textMessageContent }
            let anew = RunAdjustment(steps: ["talk": .init(prompt: .some("again"))], restarts: true)
            #expect(try await test.say(.adjust(anew), on: run, by: anna).result == .applied)
            _ = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .failed && record.reason == .budget)
            #expect(steps.map(\.state) == [.stopped] && steps[0].ended != nil)
        }
    }
}
