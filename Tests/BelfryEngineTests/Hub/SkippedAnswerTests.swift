import BelfryCore
import BelfryStore
import Testing

@testable import BelfryEngine

/// What takes the place of an answer that has a schema satisfies that schema, too.
@Suite(.timeLimit(.minutes(3))) struct SkippedAnswerTests {
    private static func documents(condition: String) -> String {
        """
        source: lab
        preset: none
        ---
        agent: parrot
        kind: echo
        words_per_second: 1000
        ---
        rule: look
        when: { source: [lab] }
        run:
          steps:
            - { step: ask, approve: "Well?" }
            - step: look
              if: { data: { hot: [\(condition)] } }
              agent: parrot
              prompt: "x"
              output: { schema: { type: object, properties: { urgent: { type: boolean } }, required: [urgent] } }
              default: { urgent: "{{data.urgent}}" }
            - { step: tell, agent: parrot, prompt: "urgent: {{steps.look.output.urgent}}" }
        """
    }

    private let anna = Principal(token: nil, name: "anna", role: .operator)

    private func asking(_ test: TestHub, _ body: String) async throws -> RunID {
        let run = try #require(try await test.post(body, to: "lab").first?.runs.first)
        _ = try await test.frames(of: run) { $0.draft.type == .approvalRequested }
        return run
    }

    @Test("a default that the event has made unfit fails the step, and with it the run")
    func condition() async throws {
        try await TestHub.with(documents: Self.documents(condition: "true")) { test in
            for (body, fault) in [
                (#"{"hot":false,"urgent":true}"#, nil),
                (#"{"hot":false,"urgent":"very"}"#, "default.urgent"), (#"{"hot":false}"#, "default.urgent"),
            ] {
                let run = try await asking(test, body)
                let approve = RunCommandKind.approve(step: "ask", approval: nil, value: nil)
                #expect(try await test.hub.perform(approve, on: run, by: anna).result == .applied)
                let frames = try await test.framesToEnd(of: run)
                let (record, steps) = try await test.hub.run(run)
                guard let fault else {
                    #expect(record.state == .succeeded && frames.text == "urgent: true", "\(frames.text)")
                    continue
                }
                #expect(record.state == .failed && record.error?.code == "output_invalid")
                #expect(record.error?.message.contains(fault) == true, "\(record)")
                #expect(steps.map(\.state) == [.succeeded, .failed])
            }
        }
    }

    @Test("an operator skips such a step with an output that fits, and with no other")
    func skip() async throws {
        try await TestHub.with(documents: Self.documents(condition: "true")) { test in
            let run = try await asking(test, #"{"hot":true,"urgent":"very"}"#)
            for output: JSONValue? in [nil, "yes", ["urgent": "yes"]] {
                let skip = RunCommandKind.skip(step: "look", output: output)
                let answer = try await test.hub.perform(skip, on: run, by: anna)
                #expect(answer.result == .rejected && answer.reason?.contains("its schema") == true, "\(answer)")
            }
            let skip = RunCommandKind.skip(step: "look", output: ["urgent": false])
            #expect(try await test.hub.perform(skip, on: run, by: anna).result == .applied)
            let approve = RunCommandKind.approve(step: "ask", approval: nil, value: nil)
            #expect(try await test.hub.perform(approve, on: run, by: anna).result == .applied)
            #expect(try await test.framesToEnd(of: run).text == "urgent: false")
        }
    }
}
