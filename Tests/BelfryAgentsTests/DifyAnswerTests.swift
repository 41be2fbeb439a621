import BelfryCore
import Testing

@testable import BelfryAgents

/// The reader of Dify's streams.
@Suite(.timeLimit(.minutes(3)))
struct DifyAnswerTests {
    private func chat(_ events: String...) -> Reading {
        Reading(DifyAnswer(app: .chat), events.map { "data: \($0)\n\n" }.joined())
    }

    private func workflow(_ events: String...) -> Reading {
        Reading(DifyAnswer(app: .workflow), events.map { "data: \($0)\n\n" }.joined())
    }

    private static func finished(_ members: String) -> String {
        #"{"event":"workflow_finished","task_id":"t","data":{\#(members)}}"#
    }

    @Test("a chat: its messages, the usage at its end, nothing of thoughts and nodes; a bare ping is no event")
    func chatMessages() {
        let reading = Reading(
            DifyAnswer(app: .chat),
            "event: ping\n\n"
                + stream(
                    #"{"event":"agent_thought","task_id":"t","thought":"hm"}"#,
                    #"{"event":"message","answer":"He"}"#, #"{"event":"agent_message","answer":"llo"}"#,
                    #"{"event":"ping"}"#, #"{"event":"node_finished","data":{"outputs":{"text":"no"}}}"#,
                    #"{"event":"message_end","metadata":{"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}}"#,
                    #"{"event":"message","answer":"late"}"#))
        #expect(
            reading.items == [
                .text("He"), .text("llo"), .usage(Usage(inputTokens: 3, outputTokens: 2)), .finished(.stop),
            ])
    }

    @Test("a workflow: its text as it comes, else its outputs; the total of its tokens")
    func workflowOutputs() {
        let spoken = workflow(
            #"{"event":"workflow_started","task_id":"t","data":{}}"#,
            #"{"event":"text_chunk","data":{"text":"He"}}"#, #"{"event":"text_chunk","data":{"text":"y"}}"#,
            Self.finished(#""status":"succeeded","outputs":{"text":"Hey"},"total_tokens":7"#))
        #expect(
            spoken.items == [
                .text("He"), .text("y"), .usage(Usage(inputTokens: 0, outputTokens: 7)), .finished(.stop),
            ])
        #expect(workflow(Self.finished(#""status":"succeeded","outputs":{"answer":"A"}"#)).text == "A")
        #expect(
            workflow(Self.finished(#""status":"succeeded","outputs":{"a":1,"b":"x"}"#)).text == #"{"a":1,"b":"x"}"#)
        #expect(workflow(Self.finished(#""status":"succeeded","outputs":{}"#)).error == nil)
    }

    @Test("how a workflow ended decides")
    func status() {
        let failed = workflow(Self.finished(#""status":"failed","error":"node 3: no model""#))
        #expect(failed.error?.contains("failed: node 3: no model") == true && failed.code == .agentFailed)
        #expect(workflow(Self.finished(#""status":"stopped""#)).error?.contains("stopped") == true)
        let partial = workflow(Self.finished(#""status":"partial-succeeded","outputs":{"x":"y"}"#))
        #expect(partial.text == "y" && partial.finish?.rawValue == "partial-succeeded" && partial.error == nil)
        // In a chat the end of its workflow is not yet the end.
        #expect(
            chat(Self.finished(#""status":"succeeded""#), #"{"event":"message","answer":"x"}"#).text == "x")
        #expect(chat(Self.finished(#""status":"failed","error":"e""#)).error?.contains("failed: e") == true)
    }

    @Test("a replaced answer: what was said can be completed, not taken back")
    func replaced() {
        let end = #"{"event":"message_end"}"#
        #expect(chat(#"{"event":"message_replace","answer":"No."}"#, end).text == "No.")
        let longer = chat(
            #"{"event":"message","answer":"He"}"#, #"{"event":"message_replace","answer":"Hello"}"#, end)
        #expect(longer.text == "Hello" && longer.error == nil)
        let other = chat(#"{"event":"message","answer":"Bad"}"#, #"{"event":"message_replace","answer":"No."}"#, end)
        #expect(other.code == .agentRefused && other.error?.contains("No.") == true)
    }

    @Test("errors, also one that may pass; a workflow that waits for a person; a stream that ends early")
    func errors() {
        let error = chat(
            #"{"event":"error","task_id":"t","status":400,"code":"completion_request_error","message":"bad"}"#)
        #expect(error.error?.contains("bad") == true && !error.mayPass)
        #expect(chat(#"{"event":"error","status":503,"message":"busy"}"#).mayPass)
        #expect(workflow(#"{"event":"workflow_paused","task_id":"t"}"#).error?.contains("person") == true)
        #expect(chat(#"{"event":"message","answer":"x"}"#).error?.contains("early") == true)
        #expect(chat("nonsense").error?.contains("not valid JSON") == true)
        #expect(chat("[]", "1", #"{"event":7}"#, #"{"event":"message_end"}"#).error == nil)
    }

    @Test("the task is known from the first event that names one, until Dify says that it is over")
    func task() throws {
        func task(_ events: String...) -> String? {
            var answer = DifyAnswer(app: .chat)
            var items: [AgentOutput] = []
            try? answer.read(Array(events.map { "data: \($0)\n\n" }.joined().utf8), into: &items)
            return answer.runningTask
        }
        let message = #"{"event":"message","task_id":"a-1_B","answer":"x"}"#
        #expect(task(#"{"event":"ping"}"#, message) == "a-1_B")
        #expect(task(message, #"{"event":"message","task_id":"other"}"#) == "a-1_B")
        #expect(task(message, #"{"event":"message_end"}"#) == nil)
        #expect(task(message, #"{"event":"error"}"#) == nil)
        // It becomes part of a URL.
        for bad in ["../../x", "a b", "", "a?b", String(repeating: "x", count: 129)] {
            #expect(task(#"{"event":"message","task_id":"\#(bad)"}"#) == nil)
        }
    }
}
