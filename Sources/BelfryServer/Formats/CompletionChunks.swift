import BelfryCore

/// The text of one step as the events of OpenAI's streamed chat completions: `chat.completion.chunk`s, and `[DONE]`.
///
/// What has no whole text is no completion: it ends with an `error` object, which the SDKs raise, so that nobody takes a
/// text that was cut for the answer.
struct CompletionChunks: Sendable {
    /// What stays the same in all chunks.
    struct Heading: Sendable {
        var id: String
        var model: String
        var created: Timestamp
    }

    let heading: Heading

    /// What a turn of the step comes to. All but the first say nothing that a reader could miss.
    func blocks(for output: StepTextStateMachine.Output) -> [[UInt8]] {
        switch output {
        case .began(let text):
            [chunk(["role": "assistant", "content": .string(text)], finish: .null, usage: nil)]
        case .text(let text): [chunk(["content": .string(text)], finish: .null, usage: nil)]
        case .ended(let end): [self.end(end), Array("[DONE]".utf8)]
        }
    }

    private func end(_ end: StepTextStateMachine.End) -> [UInt8] {
        switch end {
        case .succeeded(let usage): chunk(JSONObject(), finish: "stop", usage: usage)
        case .failed(let code, let message): error(code, message)
        case .stopped: error("step_stopped", "the step was stopped; its text is not whole")
        case .skipped: error("step_skipped", "the step was skipped; it has no text")
        case .restarted: error("step_restarted", "the step begins anew; ask again for its text")
        case .incomplete: error("step_incomplete", "a part of the text is no longer kept")
        case .absent(let state): error("step_absent", "the run has \(state) before the step began")
        }
    }

    /// - Parameter usage: the frame's; written only if both counts are known, which OpenAI's `usage` requires.
    private func chunk(_ delta: JSONObject, finish: JSONValue, usage: JSONValue?) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("id", heading.id)
        writer.member("object", "chat.completion.chunk")
        writer.member("created", heading.created.seconds)
        writer.member("model", heading.model)
        writer.member("choices", [["index": 0, "delta": .object(delta), "finish_reason": finish]])
        if let input = usage?["input_tokens"]?.number?.int64, let output = usage?["output_tokens"]?.number?.int64 {
            writer.member(
                "usage",
                [
                    "prompt_tokens": .int(input), "completion_tokens": .int(output),
                    "total_tokens": .int(input + output),
                ])
        }
        writer.endObject()
        return writer.bytes
    }

    private func error(_ code: String, _ message: String) -> [UInt8] {
        let error: JSONValue = [
            "message": .string(message), "type": "step_error", "param": nil, "code": .string(code),
        ]
        return (["error": error] as JSONValue).encoded()
    }

    /// What a reader is told whose stream the hub ends before its time.
    static func closing(_ reason: String) -> [UInt8] {
        let error: JSONValue = [
            "message": "the stream was closed; go on with the last id", "type": "stream_error", "param": nil,
            "code": .string(reason),
        ]
        return (["error": error] as JSONValue).encoded()
    }
}
