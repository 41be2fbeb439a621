import BelfryCore
import BelfryHTTP

/// Reads the stream of a chat completion. It knows what the servers that call themselves compatible do otherwise:
/// content as a list of parts, errors as a data line, several usages, tool calls without index or id.
///
/// What a model thinks (`reasoning`, `reasoning_content`, parts of other types) is not its answer and is left out.
struct OpenAIAnswer: ProviderAnswer {
    private(set) var isDone = false
    private var events = ProviderEvents()
    private var calls = OpenAIToolCalls()
    /// Why the model stopped: `stop`, `length`, `tool_calls`, …
    private var finishReason: String?
    /// Its words, where it would not answer.
    private var refusal = ""

    mutating func read(_ bytes: [UInt8], into items: inout [AgentOutput]) throws(ProviderFailure) {
        for event in try events.events(bytes) where !isDone { try read(event, into: &items) }
    }

    mutating func finish(into items: inout [AgentOutput]) throws(ProviderFailure) {
        // Some servers send no [DONE].
        guard finishReason != nil else { throw .endedEarly }
        try complete(into: &items)
    }

    private mutating func read(_ event: SSEEvent, into items: inout [AgentOutput]) throws(ProviderFailure) {
        guard !event.data.elementsEqual("[DONE]".utf8) else { return try complete(into: &items) }
        let chunk = try ProviderEvents.value(event.data)
        if let error = chunk["error"], !error.isNull { throw ProviderFailure(reportedIn: chunk) }
        // One answer was asked for; what a server puts beside the first is not ours.
        if let choice = chunk["choices"]?.array?.first(where: { ($0["index"]?.number?.int64 ?? 0) == 0 }) {
            let delta = choice["delta"]
            for text in Self.texts(delta?["content"]) where !text.isEmpty { items.append(.text(text)) }
            if let text = delta?["refusal"]?.string, refusal.utf8.count < Limits.errorTextBytesMax { refusal += text }
            try calls.read(delta?["tool_calls"]?.array ?? [], into: &items)
            if let reason = choice["finish_reason"]?.string { finishReason = reason }
        }
        // Groq puts it under x_groq, in the last chunk.
        if let usage = Self.usage(chunk["usage"]) ?? Self.usage(chunk["x_groq"]?["usage"]) {
            items.append(.usage(usage))
        }
    }

    private mutating func complete(into items: inout [AgentOutput]) throws(ProviderFailure) {
        isDone = true
        try calls.end(into: &items)
        let reason = refusal.isEmpty ? finishReason.map { FinishReason(rawValue: String($0.prefix(64))) } : .refusal
        if let reason { items.append(.finished(reason)) }
        if reason == .refusal || reason == .contentFilter { throw .heldBack(refusal) }
    }

    private static func texts(_ content: JSONValue?) -> [String] {
        switch content {
        case .string(let text): [text]
        case .array(let parts): parts.compactMap { $0["type"]?.string == "text" ? $0["text"]?.string : nil }
        default: []
        }
    }

    private static func usage(_ value: JSONValue?) -> Usage? {
        guard let value, value.object != nil else { return nil }
        let usage = Usage(
            inputTokens: value["prompt_tokens"]?.tokenCount, outputTokens: value["completion_tokens"]?.tokenCount)
        return usage.inputTokens == nil && usage.outputTokens == nil ? nil : usage
    }
}

extension ProviderFailure {
    /// A model or its provider would not give the answer: what has come is not one.
    static func heldBack(_ words: String) -> ProviderFailure {
        let words = ProviderMessage.cut(words)
        return ProviderFailure(
            .agentRefused, "the model or its provider held the answer back\(words.isEmpty ? "" : ": \(words)")")
    }
}
