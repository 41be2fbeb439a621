import BelfryCore
import BelfryStore
import Testing

@testable import BelfryEngine

/// What an operator gives in place of a step's output does not change what somebody has approved.
@Suite(.timeLimit(.minutes(3))) struct SkippedOutputTests {
    private static func documents(_ steps: String) -> String {
        """
        source: lab
        preset: none
        ---
        agent: parrot
        kind: echo
        words_per_second: 1000
        ---
        agent: slow
        kind: echo
        words_per_second: 1
        ---
        rule: r
        when: { source: [lab] }
        run:
          steps:
        \(steps)
        """
    }

    private let anna = Principal(token: nil, name: "anna", role: .operator)
    private let bert = Principal(token: nil, name: "bert", role: .operator)

    private func asking(_ test: TestHub) async throws -> RunID {
        let run = try #require(try await test.post("{}", to: "lab").first?.runs.first)
        _ = try await test.frames(of: run) { $0.draft.type == .approvalRequested }
        return run
    }

    private func question(of run: RunID, _ test: TestHub) async throws -> ApprovalID {
        try #require(try await test.hub.approvals(isOpen: true, run: run, limit: 9, cursor: nil).items.first?.id)
    }

    /// What asks for the output of `look`: a prompt, a condition, a tool, a value that is waited for.
    @Test(
        "what an approved step asks for is not supplied by a skip any more; without an output it is skipped",
        arguments: [
            #"{ step: tell, agent: parrot, prompt: "Heard {{steps.look.output}}" }"#,
            #"{ step: tell, if: { steps: { look: { output: [stop] } } }, agent: parrot, prompt: x }"#,
            #"{ step: tell, command: [absent, "--", "{{steps.look.output}}"] }"#,
            #"{ step: tell, agent: parrot, prompt: x, tools: [ { tool: t, about: x, command: [absent, "--", "{{steps.look.output}}"], input: { schema: { type: object } } } ] }"#,
            #"{ step: tell, wait: { for: { source: [lab] }, by: { data.id: steps.look.output }, within: 1h } }"#,
        ])
    func approved(_ step: String) async throws {
        let steps = """
                - { step: confirm, approve: "Tell?" }
                - { step: look, agent: slow, prompt: "one two three four five six seven eight nine ten" }
                - { step: aside, wait: 1h }
                - \(step)
            """
        try await TestHub.with(documents: Self.documents(steps)) { test in
            let run = try await asking(test)
            #expect(try await test.say(.approve(step: "confirm"), on: run, by: anna).result == .applied)
            let given = try await test.say(.skip(step: "look", output: "bert"), on: run, by: bert)
            #expect(given.result == .rejected)
            let why = "anna has approved (confirm) what is done with the output of step look; skip it without one"
            #expect(given.reason == why)
            #expect(try await test.hub.run(run).steps.count == 2, "nothing has happened")
            #expect(try await test.say(.skip(step: "aside", output: "x"), on: run, by: bert).result == .applied)
            #expect(try await test.say(.skip(step: "look", output: nil), on: run, by: bert).result == .applied)
        }
    }

    @Test("an open question is asked anew, also about a step beside it that is being cut")
    func open() async throws {
        let before = """
                - { step: confirm, approve: "Tell?" }
                - { step: look, agent: slow, prompt: "one two three" }
                - { step: tell, agent: parrot, prompt: "Heard {{steps.look.output}}." }
            """
        let beside = """
                - parallel:
                    - { step: confirm, approve: "Tell?", expires: 1h }
                    - { step: look, agent: slow, prompt: "one two three four five six seven eight nine ten" }
                - { step: tell, agent: parrot, prompt: "Heard {{steps.look.output}}." }
            """
        for steps in [before, beside] {
            try await TestHub.with(documents: Self.documents(steps)) { test in
                let run = try await asking(test)
                let first = try await question(of: run, test)
                #expect(try await test.say(.skip(step: "look", output: "bert"), on: run, by: bert).result == .applied)
                let second = try await question(of: run, test)
                #expect(first != second)
                let late = try await test.say(.approve(step: "confirm", approval: first), on: run, by: anna)
                #expect(late.reason?.contains("what it stands before was changed") == true, "\(late)")
                let yes = try await test.say(.approve(step: "confirm", approval: second), on: run, by: anna)
                #expect(yes.result == .applied)
                let text = try await test.framesToEnd(of: run).text
                #expect(text.contains("Heard") && text.contains("bert"), "\(text)")
                #expect(try await test.hub.verifyAudit().isIntact)
            }
        }
    }

    @Test("what no approved step asks for is skipped with an output as ever, and so is what a later question is about")
    func elsewhere() async throws {
        let steps = """
                - { step: confirm, approve: "Go on?" }
                - { step: look, agent: slow, prompt: "one two three four five six seven eight nine ten" }
                - { step: settle, approve: "Tell {{steps.look.output}}?" }
                - { step: tell, agent: parrot, prompt: "Heard {{steps.look.output}}." }
            """
        try await TestHub.with(documents: Self.documents(steps)) { test in
            let run = try await asking(test)
            _ = try await test.say(.approve(step: "confirm"), on: run, by: anna)
            #expect(try await test.say(.skip(step: "look", output: "bert"), on: run, by: bert).result == .applied)
            _ = try await test.frames(of: run) { $0.draft.data.value["message"] == "Tell bert?" }
            _ = try await test.say(.approve(step: "settle"), on: run, by: anna)
            #expect(try await test.framesToEnd(of: run).text.contains("bert"))
        }
    }
}
