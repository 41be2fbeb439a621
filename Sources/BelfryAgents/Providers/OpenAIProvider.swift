import BelfryCore
import BelfryHTTP

/// `POST {base}/chat/completions`, streamed: OpenAI, vLLM, Ollama, llama.cpp, LiteLLM, OpenRouter, …
struct OpenAIProvider: Provider {
    let settings: AgentDefinition.OpenAISettings
    let key: Secret?

    func httpRequest(for request: AgentRequest) throws(BelfryError) -> HTTPRequest {
        var http = HTTPRequest(
            "POST", url: Endpoint.url(settings.baseURL, "/chat/completions"),
            headers: [("Content-Type", "application/json"), ("Accept", "text/event-stream")], body: body(for: request))
        if let key {
            http.headers.append(settings.keyHeader.map { ($0, key.text) } ?? ("Authorization", "Bearer \(key.text)"))
        }
        return http
    }

    func answer(ofType contentType: String?) -> (any ProviderAnswer)? {
        Self.isEventStream(contentType) ? OpenAIAnswer() : nil
    }

    private func body(for request: AgentRequest) -> [UInt8] {
        let system = settings.system.map { [AgentMessage.system($0)] } ?? []
        var body = JSONObject()
        body["model"] = .string(settings.model)
        body["messages"] = .array((system + request.messages).map(Self.message))
        body["stream"] = true
        body["stream_options"] = ["include_usage": true]
        body["temperature"] = (request.temperature ?? settings.temperature).map { .double($0) }
        body[tokensKey] = (request.tokensMax ?? settings.tokensMax).map { .int($0) }
        if !request.tools.isEmpty {
            body["tools"] = .array(
                request.tools.map { tool in
                    [
                        "type": "function",
                        "function": [
                            "name": .string(tool.name), "description": .string(tool.description),
                            "parameters": tool.parameters,
                        ],
                    ]
                })
        }
        if let schema = request.responseSchema {
            body["response_format"] = ["type": "json_schema", "json_schema": ["name": "output", "schema": schema]]
        }
        return JSONValue.object(body).encoded()
    }

    /// OpenAI's newer models refuse the old name, which is the only one that many compatible servers know.
    private var tokensKey: String {
        settings.baseURL.hasPrefix("https://api.openai.com/") || settings.baseURL.contains(".openai.azure.com/")
            ? "max_completion_tokens" : "max_tokens"
    }

    private static func message(_ message: AgentMessage) -> JSONValue {
        switch message {
        case .system(let text): return ["role": "system", "content": .string(text)]
        case .user(let text): return ["role": "user", "content": .string(text)]
        case .toolResult(let id, let text, _):
            return ["role": "tool", "tool_call_id": .string(id), "content": .string(text)]
        case .assistant(let text, let calls):
            var value: JSONObject = ["role": "assistant"]
            value["content"] = text.isEmpty && !calls.isEmpty ? .null : .string(text)
            if !calls.isEmpty { value["tool_calls"] = .array(calls.map(Self.call)) }
            return .object(value)
        }
    }

    private static func call(_ call: ToolCall) -> JSONValue {
        [
            "id": .string(call.id), "type": "function",
            "function": [
                "name": .string(call.name), "arguments": .string(call.arguments.isEmpty ? "{}" : call.arguments),
            ],
        ]
    }
}
