import BelfryCore
import BelfryHTTP

/// Any URL that takes JSON and answers with an event stream, newline-delimited JSON, JSON or text.
struct HTTPProvider: Provider {
    let settings: AgentDefinition.HTTPSettings
    let secrets: [SecretReference: Secret]

    var addressKey: String { "url" }

    func httpRequest(for request: AgentRequest) throws(BelfryError) -> HTTPRequest {
        try request.refuseTools(kind: "http")
        var http = HTTPRequest("POST", url: settings.url, body: body(for: request).encoded())
        http.headers = [
            ("Content-Type", "application/json"),
            ("Accept", "text/event-stream, application/x-ndjson, application/json, text/plain"),
            (Hops.header, "\(request.hops)"),
        ]
        if let key = settings.key.flatMap({ secrets[$0] }) { set("Authorization", "Bearer \(key.text)", &http) }
        for header in settings.headers {
            switch header.value {
            case .text(let text): set(header.name, text, &http)
            case .secret(let reference):
                // One that may be absent, and is: the header is left out.
                if let secret = secrets[reference] { set(header.name, secret.text, &http) }
            }
        }
        return http
    }

    /// A document's header takes the place of our own.
    private func set(_ name: String, _ value: String, _ http: inout HTTPRequest) {
        http.headers.removeAll { $0.name.lowercased() == name.lowercased() }
        http.headers.append((name, value))
    }

    private func body(for request: AgentRequest) -> JSONValue {
        if let body = request.body { return body }
        return [
            "prompt": .string(request.prompt), "event": request.input.value, "run": .string("\(request.run)"),
            "step": .string(request.step),
        ]
    }

    func answer(ofType contentType: String?) -> (any ProviderAnswer)? {
        (settings.format ?? format(ofType: contentType)).map { HTTPAnswer(settings, as: $0) }
    }

    /// A page for people is no answer: most often it is a proxy's, or a sign-in.
    private func format(ofType contentType: String?) -> AgentDefinition.HTTPSettings.Format? {
        switch contentType {
        case "text/event-stream": .sse
        case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines",
            "application/stream+json":
            .ndjson
        case "application/json": .json
        case "text/html", "application/xhtml+xml": nil
        // Lines of JSON often come without their name; where a path is to be followed, text makes no sense.
        case nil, "application/octet-stream", "text/plain": settings.delta == nil ? .text : .ndjson
        case let type?: type.hasPrefix("text/") ? .text : type.hasSuffix("+json") ? .json : nil
        }
    }
}
