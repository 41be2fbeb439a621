import BelfryCore
import Testing

@testable import BelfryAgents

/// Streams that others recorded, and what the providers' own SDKs read from them: whole, in pieces of seven bytes, and
/// byte by byte, so that there is a cut at every place.
@Suite(.timeLimit(.minutes(5)))
struct TranscriptTests {
    private static let absent: Comment = "the conformance folder is not there"

    @Test(
        "OpenAI and those that say they are compatible", .enabled(if: Conformance.exists("llm/expected.json"), absent))
    func openai() async throws {
        var cases = 0
        for member in try Self.expected("openai") where member.key != Conformance.listContent {
            cases += 1
            try await check(member.key) {
                OpenAIAnswer()
            } against: { name, reading in
                let expected = member.value
                #expect(reading.text == expected["text"]?.string, "\(name)")
                checkCalls(reading, expected, name)
                checkUsage(reading, expected["usage"], ["prompt_tokens"], "completion_tokens", name)
                if let words = expected["error"]?.string {
                    #expect(reading.error?.contains(words.dropFirst("APIError: ".count)) == true, "\(name)")
                } else {
                    #expect(reading.error == nil && reading.isDone, "\(name)")
                    #expect(reading.finish?.rawValue == expected["finish"]?.string, "\(name)")
                }
            }
        }
        #expect(cases >= 60)
    }

    @Test(
        "list content is read: the recorded SDK stops at it, a reader of the text must not",
        .enabled(if: Conformance.exists("llm/\(Conformance.listContent).txt"), absent)
    )
    func listContent() throws {
        let reading = Reading(OpenAIAnswer(), try Conformance.bytes("llm/\(Conformance.listContent).txt"), by: 100)
        #expect(reading.text.hasPrefix("To ") && reading.items.count > 50)
        #expect(reading.isDone && reading.finish == .stop)
    }

    @Test("Anthropic", .enabled(if: Conformance.exists("llm/expected.json"), absent))
    func anthropic() async throws {
        let reasons = ["end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length"]
        var cases = 0
        // It holds three messages one behind the other, of which the SDK makes one; an answer is one message.
        let several = "anthropic/vercel_anthropic_anthropic-programmatic-tool-calling.1"
        for member in try Self.expected("anthropic") where member.key != several {
            cases += 1
            try await check(member.key) {
                AnthropicAnswer()
            } against: { name, reading in
                let expected = member.value
                let finish = expected["finish"]?.string
                #expect(reading.text == expected["text"]?.string, "\(name)")
                #expect(reading.finish?.rawValue == finish.map { reasons[$0] ?? $0 }, "\(name)")
                checkCalls(reading, expected, name)
                checkUsage(
                    reading, expected["usage"],
                    ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"], "output_tokens", name)
                // A refusal is an answer to the SDK.
                let isRefused = expected["error"]?.isNull == false || finish == "refusal"
                #expect((reading.error != nil) == isRefused, "\(name): \(reading.error ?? "")")
                #expect(reading.isDone == (expected["error"]?.isNull == true), "\(name)")
            }
        }
        #expect(cases >= 30)
    }

    @Test(
        "Dify's documentation",
        .enabled(if: Conformance.exists("llm/dify/service_post_chat_messages_streamingResponseAgent.txt"), absent),
        arguments: [
            ("service_post_chat_messages_streamingResponseAgent", "Here is the image: ", 50, nil),
            ("service_post_chat_messages_streamingResponseWorkflow", " I", 50, nil),
            ("service_get_workflow_workflow_run_id_events_resumedRunChatflow", "Approved", 42, nil),
            ("service_post_chat_messages_humanInputPause", "", nil, "waits for a person"),
            ("assembled_ping_then_error", "Hel", nil, "[openai] Error: overloaded"),
        ] as [(String, String, Int?, String?)])
    func dify(name: String, text: String, tokens: Int?, error: String?) async throws {
        try await check("dify/\(name)") {
            DifyAnswer(app: .chat)
        } against: { name, reading in
            #expect(reading.text == text, "\(name)")
            #expect(reading.usage == tokens.map { Usage(inputTokens: 0, outputTokens: $0) }, "\(name)")
            #expect(reading.error?.contains(error ?? "") == (error.map { _ in true }), "\(name)")
            #expect(reading.finish == (error == nil ? .stop : nil), "\(name)")
        }
    }

    @Test(
        "Ollama's own stream, as newline-delimited JSON",
        .enabled(if: Conformance.exists("llm/ollama/openllmetry__test_ollama_streaming_metrics_0.txt"), absent))
    func ollama() async throws {
        var settings = AgentDefinition.HTTPSettings(url: "http://x")
        settings.delta = [.key("response")]
        settings.done = [.key("done")]
        try await check("ollama/openllmetry__test_ollama_streaming_metrics_0") {
            HTTPAnswer(settings, as: .ndjson)
        } against: { name, reading in
            #expect(reading.text.hasPrefix("Okay, here's"), "\(name)")
            #expect(reading.finish == .stop && reading.error == nil, "\(name)")
        }
        // The same where the text never comes.
        let other = Reading(
            HTTPAnswer(settings, as: .ndjson), try Conformance.bytes("llm/ollama/docs_api_0.txt"), by: 50)
        #expect(other.text.isEmpty && other.error?.contains("ended early") == true)
        settings.done = nil
        let without = Reading(
            HTTPAnswer(settings, as: .ndjson), try Conformance.bytes("llm/ollama/docs_api_0.txt"), by: 50)
        #expect(without.error?.contains("nothing stood at `delta`") == true)
    }

    // MARK: -

    private static func expected(_ kind: String) throws -> [JSONObject.Member] {
        let all = try #require(try Conformance.json("llm/expected.json").object)
        return all.members.filter { $0.key.hasPrefix(kind) }
    }

    private func check(
        _ name: String, _ answer: () -> any ProviderAnswer, against check: (String, Reading) -> Void
    ) async throws {
        // Many bytes, one by one: the tests beside it get their turn.
        await Task.yield()
        let bytes = try Conformance.bytes("llm/\(name).txt")
        let whole = Reading(answer(), bytes, by: bytes.count)
        check(name, whole)
        for size in [7, 1] {
            await Task.yield()
            #expect(Reading(answer(), bytes, by: size) == whole, "\(name) in pieces of \(size)")
        }
        // Short ones also ended at every place: never a wrong text, and never the whole where something is missing.
        guard bytes.count < 1500 else { return }
        for end in 0..<bytes.count {
            let part = Reading(answer(), pieces: [Array(bytes[..<end])])
            #expect(whole.text.hasPrefix(part.text), "\(name) ended at \(end)")
            #expect(part.error != nil || part.text == whole.text, "\(name) ended at \(end)")
        }
    }

    private func checkCalls(_ reading: Reading, _ expected: JSONValue, _ name: String) {
        let calls = expected["tool_calls"]?.object?.members.map(\.value) ?? []
        #expect(reading.calls.map(\.id) == calls.map { $0["id"]?.string }, "\(name)")
        #expect(reading.calls.map(\.name) == calls.map { $0["name"]?.string }, "\(name)")
        #expect(reading.calls.map(\.arguments) == calls.map { $0["arguments"]?.string }, "\(name)")
        #expect(!reading.calls.contains { !$0.isEnded }, "\(name)")
    }

    private func checkUsage(
        _ reading: Reading, _ expected: JSONValue?, _ inputs: [String], _ output: String, _ name: String
    ) {
        guard let expected, !expected.isNull else { return }
        let input = inputs.compactMap { expected[$0]?.number?.int64 }.reduce(0, +)
        #expect(reading.usage?.inputTokens.map(Int64.init) == input, "\(name)")
        #expect(reading.usage?.outputTokens.map(Int64.init) == expected[output]?.number?.int64, "\(name)")
    }
}
