import BelfryCore
import Foundation
import Testing

@testable import BelfryAgents

/// The stream's reader alone: recorded transcripts, and what only bad providers send.
@Suite(.timeLimit(.minutes(1)))
struct OpenAIStreamTests {
    @Test(
        "recorded streams mean what the providers' SDK reads, whole and in pieces",
        .enabled(if: Conformance.exists("llm/expected.json"), "the conformance folder is not there")
    )
    func conformance() throws {
        let expected = try #require(try Conformance.json("llm/expected.json").object)
        var cases = 0
        for member in expected.members where member.key.hasPrefix("openai") && member.key != Conformance.listContent {
            let name = member.key
            let bytes = try Conformance.bytes("llm/\(name).txt")
            cases += 1
            // Every byte for the short ones: the long ones hold the same shapes, only more often.
            for size in bytes.count < 6000 ? [bytes.count, 7, 1] : [bytes.count, 7] {
                var stream = OpenAIStream()
                var items: [OpenAIStream.Item] = []
                var failure: BelfryError?
                do throws(BelfryError) {
                    for start in stride(from: 0, to: bytes.count, by: size) {
                        try stream.read(Array(bytes[start..<min(start + size, bytes.count)]), into: &items)
                    }
                } catch {
                    failure = error
                }
                let text = items.map { if case .text(let piece) = $0 { piece } else { "" } }.joined()
                let usage = items.compactMap { if case .usage(let last) = $0 { last } else { nil } }.last
                #expect(text == member.value["text"]?.string, "\(name)")
                if let words = member.value["error"]?.string {
                    #expect(failure?.code == .agentFailed, "\(name)")
                    #expect(failure?.message.contains(words.dropFirst("APIError: ".count)) == true, "\(name)")
                } else {
                    #expect(failure == nil && stream.isDone, "\(name)")
                }
                #expect(stream.finishReason == member.value["finish"]?.string, "\(name)")
                if let counts = member.value["usage"], !counts.isNull {
                    #expect(usage?.inputTokens.map(Int64.init) == counts["prompt_tokens"]?.number?.int64, "\(name)")
                    #expect(
                        usage?.outputTokens.map(Int64.init) == counts["completion_tokens"]?.number?.int64, "\(name)")
                }
            }
        }
        #expect(cases >= 50)
    }

    @Test(
        "list content is read: the recorded SDK stops at it, a reader of the text must not",
        .enabled(if: Conformance.exists("llm/\(Conformance.listContent).txt"), "the conformance folder is not there")
    )
    func listContent() throws {
        var stream = OpenAIStream()
        var items: [OpenAIStream.Item] = []
        try stream.read(try Conformance.bytes("llm/\(Conformance.listContent).txt"), into: &items)
        #expect(items.first == .text("To") || items.count > 50)
        #expect(stream.isDone && stream.finishReason == "stop")
    }

    @Test("what stands before an error in the same piece is delivered")
    func textBeforeError() {
        var stream = OpenAIStream()
        var items: [OpenAIStream.Item] = []
        #expect(throws: BelfryError.self) {
            try stream.read(
                Array("data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\ndata: {\"error\":{}}\n\n".utf8),
                into: &items
            )
        }
        #expect(items == [.text("Hel")])
    }

    @Test("comments, list content, other choices, tool calls and empty deltas")
    func odd() throws {
        var stream = OpenAIStream()
        var items: [OpenAIStream.Item] = []
        try stream.read(
            Array(
                """
                : OPENROUTER PROCESSING

                data: {"choices":[{"delta":{"role":"assistant","content":null}}]}

                data: {"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"a"},{"type":"x"}]}}]}

                data: {"choices":[{"index":1,"delta":{"content":"not ours"}},{"index":0,"delta":{"content":"b"}}]}

                data: {"choices":[{"delta":{"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{"}}]}}]}

                data: {"choices":[{"delta":{},"finish_reason":"stop"}],"error":null}

                data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}

                data: [DONE]

                data: {"choices":[{"delta":{"content":"after the end"}}]}


                """.utf8), into: &items)
        #expect(items == [.text("a"), .text("b"), .usage(Usage(inputTokens: 3, outputTokens: 2))])
        #expect(stream.isDone && stream.finishReason == "stop")
    }

    @Test("an error object, broken JSON and a line without end each end the stream with a reason")
    func broken() {
        func message(_ text: String) -> String? {
            var stream = OpenAIStream()
            var items: [OpenAIStream.Item] = []
            do throws(BelfryError) { try stream.read(Array(text.utf8), into: &items) } catch { return error.message }
            return nil
        }
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
