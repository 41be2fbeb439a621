import BelfryCore
import BelfryHTTP

/// Reads the stream of a message. Events and blocks that it does not know are left out, as the API asks of its
/// clients; so is what a model thinks, and the tools that run at the provider.
struct AnthropicAnswer: ProviderAnswer {
    /// A block of type `tool_use` that is being written.
    private struct Call {
        var index: Int64
        var id: String
        /// The input as the block began, for servers that send it whole.
        var input: JSONValue?
        var hasDeltas = false
    }

    private(set) var isDone = false
    private var events = ProviderEvents()
    private var call: Call?
    private var ids: [String] = []
    private var counts: [String: Int] = [:]
    private var stopReason: String?
    private var explanation = ""

    mutating func read(_ bytes: [UInt8], into items: inout [AgentOutput]) throws(ProviderFailure) {
        for event in try events.events(bytes) where !isDone { try read(event, into: &items) }
    }

    mutating func finish(into items: inout [AgentOutput]) throws(ProviderFailure) {
        guard stopReason != nil else { throw .endedEarly }
        try complete(into: &items)
    }

    private mutating func read(_ event: SSEEvent, into items: inout [AgentOutput]) throws(ProviderFailure) {
        let value = try ProviderEvents.value(event.data)
        switch value["type"]?.string ?? event.type {
        case "message_start": readUsage(value["message"]?["usage"], into: &items)
        case "content_block_start": try begin(value["index"], value["content_block"], into: &items)
        case "content_block_delta": readDelta(value["index"], value["delta"], into: &items)
        case "content_block_stop": end(value["index"], into: &items)
        case "message_delta":
            readUsage(value["usage"], into: &items)
            let delta = value["delta"]
            if let reason = delta?["stop_reason"]?.string { stopReason = reason }
            if let text = delta?["stop_details"]?["explanation"]?.string { explanation = text }
        case "message_stop": try complete(into: &items)
        case "error": throw ProviderFailure(reportedIn: value)
        default: break
        }
    }

    // MARK: Blocks

    private mutating func begin(
        _ index: JSONValue?, _ block: JSONValue?, into items: inout [AgentOutput]
    ) throws(ProviderFailure) {
        if block?["type"]?.string == "text", let text = block?["text"]?.string, !text.isEmpty {
            items.append(.text(text))
        }
        guard block?["type"]?.string == "tool_use" else { return }
        endCall(into: &items)
        guard let id = block?["id"]?.string, let name = block?["name"]?.string, !id.isEmpty, !name.isEmpty,
            max(id.utf8.count, name.utf8.count) <= Limits.toolCallNameBytesMax, !ids.contains(id)
        else { throw ProviderFailure("the provider calls a tool without a name or an id of its own") }
        guard ids.count < Limits.toolCallsPerAnswerMax else {
            throw ProviderFailure("the provider calls more than \(Limits.toolCallsPerAnswerMax) tools in one answer")
        }
        ids.append(id)
        call = Call(index: index?.number?.int64 ?? 0, id: id, input: block?["input"])
        items.append(.toolCallStarted(id: id, name: name))
    }

    private mutating func readDelta(_ index: JSONValue?, _ delta: JSONValue?, into items: inout [AgentOutput]) {
        switch delta?["type"]?.string {
        case "text_delta":
            if let text = delta?["text"]?.string, !text.isEmpty { items.append(.text(text)) }
        case "input_json_delta":
            // Those of other blocks belong to tools that run at the provider.
            guard let open = call, open.index == index?.number?.int64 ?? 0,
                let text = delta?["partial_json"]?.string, !text.isEmpty
            else { return }
            call?.hasDeltas = true
            items.append(.toolCallArguments(id: open.id, delta: text))
        default: break
        }
    }

    private mutating func end(_ index: JSONValue?, into items: inout [AgentOutput]) {
        if call?.index == index?.number?.int64 ?? 0 { endCall(into: &items) }
    }

    private mutating func endCall(into items: inout [AgentOutput]) {
        guard let ended = call else { return }
        call = nil
        if !ended.hasDeltas, let input = ended.input, input.object?.isEmpty == false {
            items.append(.toolCallArguments(id: ended.id, delta: input.text))
        }
        items.append(.toolCallEnded(id: ended.id))
    }

    private mutating func complete(into items: inout [AgentOutput]) throws(ProviderFailure) {
        isDone = true
        endCall(into: &items)
        guard let stopReason else { return }
        let reason: FinishReason =
            switch stopReason {
            case "end_turn", "stop_sequence": .stop
            case "max_tokens", "model_context_window_exceeded": .length
            case "tool_use": .toolCalls
            default: FinishReason(rawValue: String(stopReason.prefix(64)))
            }
        items.append(.finished(reason))
        if reason == .refusal { throw .heldBack(explanation) }
    }

    // MARK: Usage

    /// Each count is cumulative; a message's end may leave out what its beginning said.
    private mutating func readUsage(_ usage: JSONValue?, into items: inout [AgentOutput]) {
        let inputs = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"]
        var hasNews = false
        for name in inputs + ["output_tokens"] {
            guard let count = usage?[name]?.tokenCount else { continue }
            counts[name] = count
            hasNews = true
        }
        guard hasNews else { return }
        let read = inputs.compactMap { counts[$0] }
        items.append(
            .usage(
                Usage(
                    inputTokens: read.isEmpty ? nil : min(read.reduce(0, +), Limits.ruleTokensPerDayMax),
                    outputTokens: counts["output_tokens"])))
    }
}
