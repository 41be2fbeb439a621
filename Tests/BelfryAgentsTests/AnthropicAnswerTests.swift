import BelfryCore
import Testing

@testable import BelfryAgents

/// The reader of Anthropic's messages.
@Suite(.timeLimit(.minutes(3)))
struct AnthropicAnswerTests {
    private func read(_ events: String...) -> Reading {
        Reading(AnthropicAnswer(), events.map { "event: x\ndata: \($0)\n\n" }.joined())
    }

    private static let start =
        #"{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":5,"cache_creation_input_tokens":null,"output_tokens":1}}}"#

    private static func end(_ reason: String, _ usage: String = #"{"output_tokens":9}"#) -> String {
        #"{"type":"message_delta","delta":{"stop_reason":"\#(reason)"},"usage":\#(usage)}"#
    }

    private static let stop = #"{"type":"message_stop"}"#

    private static func block(_ index: Int, _ block: String) -> String {
        #"{"type":"content_block_start","index":\#(index),"content_block":\#(block)}"#
    }

    private static func delta(_ index: Int, _ delta: String) -> String {
        #"{"type":"content_block_delta","index":\#(index),"delta":\#(delta)}"#
    }

    private static func blockEnd(_ index: Int) -> String { #"{"type":"content_block_stop","index":\#(index)}"# }

    @Test("text, and nothing of thoughts, citations, pings and what is not known")
    func text() {
        let reading = read(
            Self.start, #"{"type":"ping"}"#, Self.block(0, #"{"type":"thinking","thinking":""}"#),
            Self.delta(0, #"{"type":"thinking_delta","thinking":"hm"}"#),
            Self.delta(0, #"{"type":"signature_delta","signature":"xx"}"#), Self.blockEnd(0),
            Self.block(1, #"{"type":"text","text":"He"}"#), Self.delta(1, #"{"type":"text_delta","text":"llo"}"#),
            Self.delta(1, #"{"type":"citations_delta","citation":{}}"#), Self.delta(1, #"{"type":"new_delta"}"#),
            Self.blockEnd(1), #"{"type":"new_event","text":"x"}"#,
            Self.end("end_turn", #"{"input_tokens":12,"output_tokens":9}"#), Self.stop, Self.delta(1, "{}"))
        #expect(
            reading.items == [
                .usage(Usage(inputTokens: 15, outputTokens: 1)), .text("He"), .text("llo"),
                .usage(Usage(inputTokens: 17, outputTokens: 9)), .finished(.stop),
            ])
        #expect(reading.error == nil && reading.isDone)
    }

    @Test("tool calls; the tools that run at the provider are none of ours")
    func toolCalls() {
        let reading = read(
            Self.start, Self.block(0, #"{"type":"server_tool_use","id":"s","name":"web_search","input":{}}"#),
            Self.delta(0, #"{"type":"input_json_delta","partial_json":"{\"q\":1}"}"#), Self.blockEnd(0),
            Self.block(1, #"{"type":"tool_use","id":"t1","name":"look","input":{}}"#),
            Self.delta(1, #"{"type":"input_json_delta","partial_json":""}"#),
            Self.delta(1, #"{"type":"input_json_delta","partial_json":"{\"a\":"}"#),
            // Of another block, while this one is open.
            Self.delta(0, #"{"type":"input_json_delta","partial_json":"9"}"#), Self.blockEnd(0),
            Self.delta(1, #"{"type":"input_json_delta","partial_json":"1}"}"#), Self.blockEnd(1),
            Self.block(2, #"{"type":"tool_use","id":"t2","name":"go","input":{"whole":true}}"#), Self.blockEnd(2),
            Self.end("tool_use"), Self.stop)
        #expect(
            reading.calls == [
                .init(id: "t1", name: "look", arguments: #"{"a":1}"#, isEnded: true),
                .init(id: "t2", name: "go", arguments: #"{"whole":true}"#, isEnded: true),
            ])
        #expect(reading.finish == .toolCalls && reading.text.isEmpty)
    }

    @Test("calls without name or id, twice the same id, and too many are refused")
    func badCalls() {
        #expect(read(Self.block(0, #"{"type":"tool_use","id":"t"}"#)).error?.contains("without a name") == true)
        let one = #"{"type":"tool_use","id":"t","name":"n"}"#
        #expect(read(Self.block(0, one), Self.block(1, one)).error?.contains("of its own") == true)
        let many = (0...Limits.toolCallsPerAnswerMax).map {
            "data: \(Self.block($0, #"{"type":"tool_use","id":"t\#($0)","name":"n"}"#))\n\n"
        }
        #expect(Reading(AnthropicAnswer(), many.joined()).error?.contains("more than") == true)
    }

    @Test(
        "why it stopped, in common words",
        arguments: [
            ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"),
            ("model_context_window_exceeded", "length"), ("tool_use", "tool_calls"), ("pause_turn", "pause_turn"),
        ])
    func reasons(theirs: String, ours: String) {
        #expect(read(Self.start, Self.end(theirs), Self.stop).finish?.rawValue == ours)
    }

    @Test("a refusal is an error with the provider's explanation")
    func refusal() {
        let reading = read(
            Self.start,
            #"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"explanation":"Not this."}}}"#,
            Self.stop)
        #expect(reading.code == .agentRefused && reading.error?.contains("Not this.") == true)
        #expect(reading.finish == .refusal && !reading.mayPass)
    }

    @Test("errors end the stream; those of load may pass")
    func errors() {
        let busy = read(Self.start, #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#)
        #expect(busy.error?.contains("Overloaded") == true && busy.mayPass && !busy.isDone)
        let wrong = read(#"{"type":"error","error":{"type":"invalid_request_error","message":"No."}}"#)
        #expect(wrong.error?.contains("No.") == true && !wrong.mayPass)
    }

    @Test("a stream that ends before its reason is cut, one that ends before message_stop is not")
    func ends() {
        #expect(read(Self.start, Self.delta(0, #"{"type":"text_delta","text":"x"}"#)).error?.contains("early") == true)
        let whole = read(Self.start, Self.delta(0, #"{"type":"text_delta","text":"x"}"#), Self.end("end_turn"))
        #expect(whole.error == nil && whole.finish == .stop)
        #expect(read("{oops").error?.contains("not valid JSON") == true)
        #expect(read("[]", "7", "null", Self.end("end_turn")).error == nil)
    }

    @Test("counts that cannot be are not taken, and none overflows")
    func absurdUsage() {
        let reading = read(
            #"{"type":"message_start","message":{"usage":{"input_tokens":-1,"cache_read_input_tokens":1e12,"cache_creation_input_tokens":1e12,"output_tokens":1e400}}}"#,
            Self.end("end_turn", "{}"), Self.stop)
        #expect(reading.usage == Usage(inputTokens: Limits.ruleTokensPerDayMax, outputTokens: nil))
    }
}
