import BelfryCore
import BelfryHTTP

/// An app of Dify: `POST {base}/chat-messages` or `/workflows/run`, streamed. A closed socket does not stop it, its
/// stop endpoint does.
struct DifyProvider: Provider {
    let settings: AgentDefinition.DifySettings
    let key: Secret?

    func httpRequest(for request: AgentRequest) throws(BelfryError) -> HTTPRequest {
        try request.refuseTools(kind: "dify")
        var body: JSONObject = ["response_mode": "streaming", "user": Self.user(request)]
        switch settings.app {
        case .chat, .agent:
            body["query"] = .string(request.prompt)
            body["inputs"] = request.body ?? .object([:])
            // A title for the conversation would be another call of a model.
            body["auto_generate_name"] = false
        case .workflow:
            body["inputs"] = request.body ?? ["prompt": .string(request.prompt)]
        }
        return post(settings.app == .workflow ? "/workflows/run" : "/chat-messages", .object(body))
    }

    func answer(ofType contentType: String?) -> (any ProviderAnswer)? {
        Self.isEventStream(contentType) ? DifyAnswer(app: settings.app) : nil
    }

    func stopRequest(task: String, of request: AgentRequest) -> HTTPRequest? {
        let path = settings.app == .workflow ? "/workflows/tasks/\(task)/stop" : "/chat-messages/\(task)/stop"
        return post(path, ["user": Self.user(request)])
    }

    /// Who asks, for Dify's own records and for its stop: one user is one run.
    private static func user(_ request: AgentRequest) -> JSONValue { .string("\(request.run)") }

    private func post(_ path: String, _ body: JSONValue) -> HTTPRequest {
        var http = HTTPRequest(
            "POST", url: Endpoint.url(settings.baseURL, path),
            headers: [("Content-Type", "application/json"), ("Accept", "text/event-stream")], body: body.encoded())
        if let key { http.headers.append(("Authorization", "Bearer \(key.text)")) }
        return http
    }
}
