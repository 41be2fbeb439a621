import BelfryCore
import BelfryEngine
import BelfryStore
import Foundation
import Testing

/// What a rule may use of a day, between the turns of one step.
@Suite(.timeLimit(.minutes(3))) struct BudgetTests {
    /// - Parameter step: further keys of the step.
    private static func documents(_ model: ScriptedModel, _ limits: String, step: String = "") -> String {
        """
        source: lab
        preset: none
        ---
        \(model.agent("oncall"))
        price: { input: 10000, output: 10000 }
        ---
        rule: pump
        when: { source: [lab] }
        limits: { \(limits) }
        run:
          steps:
            - step: mend
              agent: oncall
              prompt: "Look after {{data.pump}}."
              retry: 2
              \(step)
        """
    }

    private static func tool(_ marks: TestFolder) -> String {
        #"tools: [ { tool: mark, about: Leaves a mark., command: [shell, "-c", "touch \#(marks.path)/done"], approve: false, "#
            + "input: { schema: { type: object } } } ]"
    }

    /// A turn that says something and calls the tool.
    private static let call = ScriptedModel.Turn.raw(
        #"""
        data: {"choices":[{"index":0,"delta":{"content":"I look."}}]}

        data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"mark","arguments":"{}"}}]}}]}

        data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}


        """#)

    private func isEmpty(_ folder: TestFolder) throws -> Bool {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty
    }

    private func run(_ test: TestHub, pump: String = "p7") async throws -> RunID {
        try #require(try await test.post(#"{"pump":"\#(pump)"}"#, to: "lab").first?.runs.first)
    }

    @Test(
        "an agent whose rule has used up its day gets no further turn, is not tried again, and does nothing in between",
        arguments: ["tokens_per_day: 5", "cost_per_day: 0.05"])
    func tools(_ limit: String) async throws {
        let model = ScriptedModel([Self.call, .text("It is hot.")])
        let marks = try TestFolder()
        let documents = Self.documents(model, limit, step: Self.tool(marks))
        try await TestHub.with(documents: documents, commands: ["shell": "/bin/sh"]) { test in
            let run = try await run(test)
            let frames = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .failed && record.reason == .budget && record.error?.code == "budget")
            #expect(record.error?.message.hasSuffix("(limits.\(limit))") == true, "\(record)")
            #expect(steps[0].state == .failed && steps[0].error == record.error && steps[0].attempt == 1)
            #expect(steps[0].output == "I look." && frames.text == "I look.")
            #expect(try model.asked.count == 1 && isEmpty(marks))
            let alerts = try await test.hub.frames(after: 0, through: nil, topics: [.alerts], max: 10).frames
            #expect(alerts.map { $0.draft.data.value["kind"]?.string } == ["budget"])
            let next = try #require(try await test.post("{}", to: "lab").first)
            #expect(next.outcomes.map(\.outcome) == [.limited])
            #expect(try await test.hub.verifyAudit().isIntact)
        }
    }

    @Test("a budget that is enough for the turns of one run is not for those of another after it")
    func together() async throws {
        let model = ScriptedModel([Self.call, .text("It is hot."), Self.call, .text("It is cold.")])
        let marks = try TestFolder()
        // By their length: 7 tokens in the first turn, 10 in the second.
        let documents = Self.documents(model, "tokens_per_day: 20", step: Self.tool(marks))
        try await TestHub.with(documents: documents, commands: ["shell": "/bin/sh"]) { test in
            let first = try await run(test)
            _ = try await test.framesToEnd(of: first)
            #expect(try await test.hub.run(first).run.state == .succeeded)
            #expect(try !isEmpty(marks))
            let second = try await run(test)
            _ = try await test.framesToEnd(of: second)
            let (record, steps) = try await test.hub.run(second)
            #expect(record.reason == .budget && steps[0].output == "I look." && model.asked.count == 3)
        }
    }

    @Test("an answer that breaks its schema is not mended beyond the budget")
    func mending() async throws {
        let model = ScriptedModel([.text("hot!"), .text(#"{"state":"hot"}"#)])
        let schema = "output: { schema: { type: object, required: [state] } }"
        try await TestHub.with(documents: Self.documents(model, "tokens_per_day: 5", step: schema)) { test in
            let run = try await run(test)
            _ = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.reason == .budget && steps[0].output == "hot!" && model.asked.count == 1)
        }
    }

    @Test("what the turns of a step use is counted once, whether it is counted between them or at its end")
    func once() async throws {
        let usage = #"data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"# + "\n\n"
        guard case .raw(let call) = Self.call else { return }
        let text = #"data: {"choices":[{"index":0,"delta":{"content":"Hot."},"finish_reason":"stop"}]}"# + "\n\n"
        for (limit, isEnough) in [("tokens_per_day: 21", true), ("tokens_per_day: 20", false)] {
            let model = ScriptedModel([.raw(call + usage), .raw(text + usage)])
            let marks = try TestFolder()
            let documents = Self.documents(model, limit, step: Self.tool(marks))
            try await TestHub.with(documents: documents, commands: ["shell": "/bin/sh"]) { test in
                let run = try await run(test)
                _ = try await test.framesToEnd(of: run)
                #expect(try await test.hub.run(run).steps[0].usage?["input_tokens"]?.number?.int64 == 14)
                // 20 are used of the one and of the other.
                let next = try #require(try await test.post("{}", to: "lab").first)
                #expect(next.outcomes.map(\.outcome) == [isEnough ? .started : .limited])
            }
        }
    }
}
