import BelfryCore
import BelfryHTTP

/// `POST {base}/v1/messages`, streamed.
struct AnthropicProvider: Provider {
    let settings: AgentDefinition.AnthropicSettings
    let key: Secret?

    /// The API's version: the only one there has been for years.
    private static let version = "2023-06-01"

    func httpRequest(for request: AgentRequest) throws(BelfryError) -> HTTPRequest {
        var http = HTTPRequest(
            "POST", url: Endpoint.url(settings.baseURL, "/v1/messages"),
            headers: [
                ("Content-Type", "application/json"), ("Accept", "text/event-stream"),
                ("anthropic-version", Self.version),
            ], body: body(for: request))
        if let key { http.headers.append(("x-api-key", key.text)) }
        return http
    }

    func answer(ofType contentType: String?) -> (any ProviderAnswer)? {
        Self.isEventStream(contentType) ? AnthropicAnswer() : nil
    }

    private func body(for request: AgentRequest) -> [UInt8] {
        var system = [settings.system].compactMap(\.self)
        for case .system(let text) in request.messages { system.append(text) }
        if let schema = request.responseSchema {
            // Said and not enforced: the API's own way refuses schemas that allow further members.
            system.append(
                "Answer with one JSON value and nothing around it. It must satisfy this JSON Schema:\n\(schema.text)")
        }
        var body = JSONObject()
        body["model"] = .string(settings.model)
        body["max_tokens"] = .int(request.tokensMax ?? settings.tokensMax)
        if !system.isEmpty { body["system"] = .string(system.joined(separator: "\n\n")) }
        body["messages"] = .array(Self.messages(request.messages))
        body["stream"] = true
        // The API knows no more than 1.
        body["temperature"] = (request.temperature ?? settings.temperature).map { .double(min($0, 1)) }
        if !request.tools.isEmpty {
            body["tools"] = .array(
                request.tools.map { tool in
                    [
                        "name": .string(tool.name), "description": .string(tool.description),
                        "input_schema": tool.parameters,
                    ]
                })
        }
        return JSONValue.object(body).encoded()
    }

    /// Turns alternate: what stands side by side of one role is one message. An empty text is left out, as the API
    /// refuses it.
    private static func messages(_ messages: [AgentMessage]) -> [JSONValue] {
        var turns: [(role: String, blocks: [JSONValue])] = []
        for message in messages {
            let (role, blocks): (String, [JSONValue]) =
                switch message {
                case .system: ("", [])
                case .user(let text): ("user", textBlocks(text))
                case .toolResult(let id, let text, let isError): ("user", [result(id, text, isError: isError)])
                case .assistant(let text, let calls): ("assistant", textBlocks(text) + calls.map(use))
                }
            if blocks.isEmpty { continue }
            if turns.last?.role == role {
                turns[turns.count - 1].blocks += blocks
            } else {
                turns.append((role, blocks))
            }
        }
        return turns.map { ["role": .string($0.role), "content": .array($0.blocks)] }
    }

    private static func textBlocks(_ text: String) -> [JSONValue] {
        text.isEmpty ? [] : [["type": "text", "text": .string(text)]]
    }

    private static func result(_ id: String, _ text: String, isError: Bool) -> JSONValue {
        var block: JSONObject = ["type": "tool_result", "tool_use_id": .string(id), "content": .string(text)]
        if isError { block["is_error"] = true }
        return .object(block)
    }

    private static func use(_ call: ToolCall) -> JSONValue {
        // What is no object was refused when it was called: the result says so.
        let input = (try? JSONValue(parsing: call.arguments)).flatMap { $0.object == nil ? nil : $0 }
        return [
            "type": "tool_use", "id": .string(call.id), "name": .string(call.name), "input": input ?? .object([:]),
        ]
    }
}
