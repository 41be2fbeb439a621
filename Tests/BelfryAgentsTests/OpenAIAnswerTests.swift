import BelfryCore
import Testing

@testable import BelfryAgents

/// The reader of a chat completion: what servers send, and what only odd and bad ones do.
@Suite(.timeLimit(.minutes(3)))
struct OpenAIAnswerTests {
    private func read(_ events: String...) -> Reading {
        Reading(OpenAIAnswer(), events.map { "data: \($0)\n\n" }.joined())
    }

    private static func delta(_ delta: String, finish: String = "null") -> String {
        #"{"choices":[{"index":0,"delta":{\#(delta)},"finish_reason":\#(finish)}]}"#
    }

    @Test("what stands before an error in the same piece is delivered")
    func textBeforeError() {
        let reading = read(Self.delta(#""content":"Hel""#), #"{"error":{}}"#)
        #expect(reading.items == [.text("Hel")])
        #expect(reading.error != nil)
    }

    @Test("comments, list content, other choices, reasoning and empty deltas")
    func odd() {
        let reading = Reading(
            OpenAIAnswer(),
            """
            : OPENROUTER PROCESSING

            data: {"choices":[{"delta":{"role":"assistant","content":null,"refusal":null,"tool_calls":null}}]}

            data: {"choices":[{"delta":{"reasoning_content":"hm","reasoning":"hm","content":""}}]}

            data: {"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"a"},{"type":"thinking","thinking":[]}]}}]}

            data: {"choices":[{"index":1,"delta":{"content":"not ours"}},{"index":0,"delta":{"content":"b"}}]}

            data: {"choices":[{"delta":{},"finish_reason":"stop"}],"error":null}

            data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}

            data: [DONE]

            data: {"choices":[{"delta":{"content":"after the end"}}]}


            """)
        #expect(
            reading.items == [
                .text("a"), .text("b"), .usage(Usage(inputTokens: 3, outputTokens: 2)), .finished(.stop),
            ])
        #expect(reading.isDone)
    }

    @Test("a tool call comes in pieces, two side by side too")
    func toolCalls() {
        let reading = read(
            Self.delta(
                #""tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"look","arguments":""}}]"#),
            Self.delta(#""tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]"#),
            Self.delta(
                #""tool_calls":[{"index":1,"id":"c2","function":{"name":"go","arguments":"{"}},{"index":0,"function":{"arguments":"1}"}}]"#
            ),
            Self.delta(#""tool_calls":[{"index":1,"id":"c2","function":{"name":"go","arguments":"}"}}]"#),
            Self.delta("", finish: #""tool_calls""#), "[DONE]")
        #expect(
            reading.items == [
                .toolCallStarted(id: "c1", name: "look"), .toolCallArguments(id: "c1", delta: "{\"a\":"),
                .toolCallStarted(id: "c2", name: "go"), .toolCallArguments(id: "c2", delta: "{"),
                .toolCallArguments(id: "c1", delta: "1}"), .toolCallArguments(id: "c2", delta: "}"),
                .toolCallEnded(id: "c1"), .toolCallEnded(id: "c2"), .finished(.toolCalls),
            ])
    }

    @Test(
        "servers number and name their calls otherwise",
        arguments: [
            // Whole calls without an index.
            (
                [
                    #"{"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                    #"{"id":"b","function":{"name":"f","arguments":"[1]"}}"#,
                ],
                [("a", "f", "{}"), ("b", "f", "[1]")]
            ),
            // Nor an id: each has a name of its own.
            (
                [
                    #"{"function":{"name":"f","arguments":"{}"}}"#,
                    #"{"id":"","function":{"name":"g","arguments":"1"}}"#,
                    #"{"function":{"arguments":"2"}}"#,
                ],
                [("call_0", "f", "{}"), ("call_1", "g", "12")]
            ),
            // All have the index 0, and ids of their own.
            (
                [
                    #"{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}"#,
                    #"{"index":0,"id":"b","function":{"name":"g","arguments":"2"}}"#,
                    #"{"index":0,"function":{"arguments":"3"}}"#,
                ],
                [("a", "f", "1"), ("b", "g", "23")]
            ),
            // The same id twice.
            (
                [
                    #"{"index":0,"id":"x","function":{"name":"f"}}"#,
                    #"{"index":1,"id":"x","function":{"name":"g","arguments":null}}"#,
                ],
                [("x", "f", ""), ("x-2", "g", "")]
            ),
            // Arguments before the name, and as an object; an empty name beside them.
            (
                [
                    #"{"index":0,"id":"x","function":{"name":"","arguments":"{"}}"#,
                    #"{"index":0,"function":{"name":"f","arguments":"}"}}"#,
                    #"{"index":1,"id":"y","function":{"name":"g","arguments":{"a":[1]}}}"#,
                ],
                [("x", "f", "{}"), ("y", "g", #"{"a":[1]}"#)]
            ),
        ] as [([String], [(String, String, String)])])
    func oddCalls(deltas: [String], expected: [(String, String, String)]) {
        let reading = Reading(
            OpenAIAnswer(),
            pieces: deltas.map { Array("data: \(Self.delta(#""tool_calls":[\#($0)]"#))\n\n".utf8) }
                + [Array("data: [DONE]\n\n".utf8)])
        #expect(
            reading.calls
                == expected.map { Reading.Call(id: $0.0, name: $0.1, arguments: $0.2, isEnded: true) })
        #expect(reading.error == nil)
    }

    @Test("calls without a name, with a name without end, and calls without number are refused")
    func badCalls() {
        let nameless = read(Self.delta(#""tool_calls":[{"index":0,"id":"x","function":{"arguments":"{}"}}]"#), "[DONE]")
        #expect(nameless.error?.contains("without a name") == true && nameless.calls.isEmpty)
        let long = String(repeating: "n", count: Limits.toolCallNameBytesMax + 1)
        #expect(
            read(Self.delta(#""tool_calls":[{"index":0,"id":"x","function":{"name":"\#(long)"}}]"#)).error?
                .contains("too long") == true)
        #expect(read(Self.delta(#""tool_calls":[{"index":0,"id":"\#(long)"}]"#)).error?.contains("too long") == true)
        let calls = (0...Limits.toolCallsPerAnswerMax).map { #"{"index":\#($0),"function":{"name":"f"}}"# }
        let many = read(Self.delta(#""tool_calls":[\#(calls.joined(separator: ","))]"#))
        #expect(many.error?.contains("more than") == true && many.calls.count == Limits.toolCallsPerAnswerMax)
    }

    @Test("a refusal and a filtered answer are errors, whatever came before")
    func heldBack() {
        let refused = read(
            Self.delta(#""refusal":"I can't "# + #"do that""#), Self.delta("", finish: #""stop""#), "[DONE]")
        #expect(refused.code == .agentRefused && refused.error?.contains("I can't do that") == true)
        #expect(refused.finish == .refusal)
        let filtered = read(
            Self.delta(#""content":"Par""#), Self.delta("", finish: #""content_filter""#), "[DONE]")
        #expect(filtered.code == .agentRefused && filtered.text == "Par" && filtered.finish == .contentFilter)
        #expect(!filtered.mayPass)
    }

    @Test("a stream may end without [DONE] once the model has said why it stops, not before")
    func ends() {
        let whole = read(Self.delta(#""content":"x""#), Self.delta("", finish: #""length""#))
        #expect(whole.error == nil && whole.finish == .length && whole.isDone)
        let cut = read(Self.delta(#""content":"x""#))
        #expect(cut.error?.contains("ended early") == true && cut.mayPass && cut.text == "x")
        #expect(Reading(OpenAIAnswer(), pieces: []).error?.contains("ended early") == true)
    }

    @Test("usage that cannot be is not taken")
    func absurdUsage() {
        func usage(_ members: String) -> Usage? { read(#"{"usage":{\#(members)}}"#, "[DONE]").usage }
        #expect(usage(#""prompt_tokens":-5,"completion_tokens":3"#) == Usage(outputTokens: 3))
        #expect(usage(#""prompt_tokens":1e300,"completion_tokens":-1"#) == nil)
        #expect(usage(#""prompt_tokens":99999999999999999999,"completion_tokens":"7""#) == nil)
        #expect(usage(#""prompt_tokens":12.0,"completion_tokens":0"#) == Usage(inputTokens: 12, outputTokens: 0))
        #expect(usage("") == nil)
    }

    @Test("an error in the stream may pass if its type or its code says so")
    func passingErrors() {
        #expect(read(#"{"error":{"message":"m","type":"server_error"}}"#).mayPass)
        #expect(read(#"{"error":{"message":"m","code":502}}"#).mayPass)
        #expect(read(#"{"error":{"message":"m","code":"429"}}"#).mayPass)
        #expect(!read(#"{"error":{"message":"m","type":"invalid_request_error","code":null}}"#).mayPass)
        #expect(!read(#"{"error":{"message":"m","code":400}}"#).mayPass)
    }

    @Test("an error object, broken JSON and a line without end each end the stream with a reason")
    func broken() {
        func message(_ text: String) -> String? { Reading(OpenAIAnswer(), text).error }
        #expect(message("data: {\"error\":{\"message\":\"overloaded\"}}\n\n")?.contains("overloaded") == true)
        #expect(message("data: {\"error\":\"plain\"}\n\n")?.contains("plain") == true)
        #expect(message("event: error\ndata: {\"error\":{\"code\":\"x9\"}}\n\n")?.contains("x9") == true)
        #expect(message("data: {oops\n\n")?.contains("not valid JSON") == true)
        #expect(
            message("data: " + String(repeating: "x", count: Limits.streamLineBytesMax))?.contains("longer than")
                == true)
        #expect(message("data: \(String(repeating: "[", count: 10_000))\n\n") != nil)
    }

    @Test("a provider's words are one line of at most 300 bytes")
    func words() {
        let long = ProviderMessage.cut("a\nb\u{7}" + String(repeating: "ß", count: 400))
        #expect(long.hasPrefix("a b ß") && long.utf8.count <= Limits.errorTextBytesMax + 3)
        #expect(ProviderMessage.text(ofBody: Array("<html>\r\n502</html>".utf8)) == "<html>  502</html>")
        #expect(ProviderMessage.text(ofBody: Array(#"{"detail":"no such model"}"#.utf8)) == "no such model")
        #expect(ProviderMessage.text(ofBody: Array(#"{"error":{"message":"bad key"}}"#.utf8)) == "bad key")
    }
}
