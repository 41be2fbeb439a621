import BelfryCore
import BelfryHTTP

/// Reads the stream of a chat completion: pure, from pieces cut anywhere to text and usage. It knows what the servers
/// that call themselves compatible do otherwise: content as a list of parts, errors as a data line, several usages.
struct OpenAIStream {
    enum Item: Equatable {
        case text(String)
        case usage(Usage)
    }

    /// Whether `[DONE]` came: without it the stream was cut.
    private(set) var isDone = false
    /// Why the model stopped: `stop`, `length`, `tool_calls`, …
    private(set) var finishReason: String?
    private var decoder = SSEDecoder()

    /// Takes the next piece of the stream and appends what it completes, also what stands before an error in it.
    mutating func read(_ bytes: [UInt8], into items: inout [Item]) throws(BelfryError) {
        let events: [SSEEvent]
        do {
            events = try decoder.decode(bytes)
        } catch {
            throw BelfryError(.agentFailed, "the provider sent a line longer than \(error.bytesMax) bytes")
        }
        for event in events where !isDone { try read(event, into: &items) }
    }

    private mutating func read(_ event: SSEEvent, into items: inout [Item]) throws(BelfryError) {
        if event.data.elementsEqual("[DONE]".utf8) {
            isDone = true
            return
        }
        let chunk: JSONValue
        do {
            chunk = try JSONValue(parsing: event.data)
        } catch {
            throw BelfryError(.agentFailed, "the provider sent a chunk that is \(error)")
        }
        if let error = chunk["error"], !error.isNull {
            throw BelfryError(.agentFailed, "the provider broke off: \(ProviderMessage.text(of: chunk))")
        }
        // One answer was asked for; what a server puts beside the first is not ours.
        if let choice = chunk["choices"]?.array?.first(where: { ($0["index"]?.number?.int64 ?? 0) == 0 }) {
            for text in Self.texts(choice["delta"]?["content"]) where !text.isEmpty { items.append(.text(text)) }
            if let reason = choice["finish_reason"]?.string { finishReason = reason }
        }
        // Groq puts it under x_groq, in the last chunk.
        if let usage = Self.usage(chunk["usage"]) ?? Self.usage(chunk["x_groq"]?["usage"]) {
            items.append(.usage(usage))
        }
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
            inputTokens: value["prompt_tokens"]?.number?.int64.map { Int($0) },
            outputTokens: value["completion_tokens"]?.number?.int64.map { Int($0) }
        )
        return usage.inputTokens == nil && usage.outputTokens == nil ? nil : usage
    }
}

/// A provider's own words about an error, made fit for a message.
enum ProviderMessage {
    /// From `{"error": {"message": …}}`, `{"error": "…"}`, `{"message": …}` or `{"detail": …}`; else all of it.
    static func text(of value: JSONValue) -> String {
        let candidates = [
            value["error"]?["message"], value["error"], value["message"], value["detail"], value["error"]?["code"],
        ]
        let text = candidates.lazy.compactMap { $0?.string }.first { !$0.isEmpty }
        return cut(text ?? value.text)
    }

    /// From a body that may be no JSON at all (a proxy's HTML page).
    static func text(ofBody body: [UInt8]) -> String {
        if let value = try? JSONValue(parsing: body) { return text(of: value) }
        return cut(String(decoding: body, as: UTF8.self))
    }

    /// One line of at most ``Limits/errorTextBytesMax`` bytes.
    static func cut(_ text: String) -> String { text.plain(bytesMax: Limits.errorTextBytesMax) }
}
