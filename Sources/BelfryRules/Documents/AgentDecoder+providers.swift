import BelfryCore

/// Reads what is said of agents behind HTTP providers.
extension DocumentDecoder {
    mutating func openai(_ fields: Fields) -> AgentDefinition.Kind? {
        let base = base(
            fields, "base_url", before: ["/chat/completions"], example: "https://api.openai.com/v1", isRequired: true)
        let model = string(fields, "model", isRequired: true)
        var settings = AgentDefinition.OpenAISettings(baseURL: base ?? "", model: model ?? "")
        settings.key = key(fields)
        settings.keyHeader = string(fields, "key_header")
        if let header = settings.keyHeader { checkHeader(header, at: fields.line(of: "key_header"), "key_header") }
        settings.system = string(fields, "system")
        settings.temperature = double(fields, "temperature", in: 0...2)
        settings.tokensMax = int(fields, "max_tokens", in: 1...10_000_000)
        return base == nil || model == nil ? nil : .openai(settings)
    }

    mutating func anthropic(_ fields: Fields) -> AgentDefinition.Kind? {
        let model = string(fields, "model", isRequired: true)
        var settings = AgentDefinition.AnthropicSettings(model: model ?? "")
        let own = AgentDefinition.AnthropicSettings.defaultBaseURL
        settings.baseURL = base(fields, "base_url", before: ["/v1/messages", "/v1"], example: own) ?? own
        settings.key = key(fields)
        if fields["key"] == nil, fields["base_url"] == nil {
            note("is missing: \(own) takes no request without one", in: fields, "key")
        }
        settings.system = string(fields, "system")
        settings.temperature = double(fields, "temperature", in: 0...1)
        settings.tokensMax = int(fields, "max_tokens", in: 1...10_000_000) ?? settings.tokensMax
        return model == nil ? nil : .anthropic(settings)
    }

    mutating func dify(_ fields: Fields) -> AgentDefinition.Kind? {
        let app = choice(fields, "app", of: AgentDefinition.DifySettings.App.self, isRequired: true)
        let key = key(fields, isRequired: true)
        let own = AgentDefinition.DifySettings.defaultBaseURL
        let base = base(fields, "base_url", before: ["/chat-messages", "/workflows/run"], example: own)
        let inputs = body(fields, "inputs")
        if let member = fields["inputs"], inputs?.object == nil {
            expected("a mapping", found: member.value, "inputs", line: member.line)
        }
        guard let app, let key else { return nil }
        var settings = AgentDefinition.DifySettings(app: app, key: key)
        settings.baseURL = base ?? own
        settings.inputs = inputs
        return .dify(settings)
    }

    // MARK: Addresses and keys

    /// A base URL; nil if it is not there or wrong.
    /// - Parameter before: What Belfry itself puts behind it.
    private mutating func base(
        _ fields: Fields, _ key: String, before suffixes: [String], example: String, isRequired: Bool = false
    ) -> String? {
        guard let base = url(fields, key, example: example, isRequired: isRequired) else { return nil }
        let path = base.prefix { $0 != "?" }
        if let suffix = suffixes.first(where: { path.hasSuffix($0) || path.hasSuffix($0 + "/") }) {
            note("ends before \(suffix): \(example)", in: fields, key)
        }
        return base
    }

    mutating func url(_ fields: Fields, _ key: String, example: String, isRequired: Bool = false) -> String? {
        guard let url = string(fields, key, isRequired: isRequired) else { return nil }
        let rest = url.hasPrefix("https://") ? url.dropFirst(8) : url.hasPrefix("http://") ? url.dropFirst(7) : ""
        let queryNames = url.split(separator: "?", maxSplits: 1).dropFirst().first?.split(separator: "&")
            .map { $0.prefix { $0 != "=" }.lowercased() }
        if rest.contains("{{") {
            note("must not be a template: events do not choose where data goes", in: fields, key)
        } else if rest.isEmpty || rest.hasPrefix("/") || rest.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F }) {
            note("must be a URL: \(example)", in: fields, key)
        } else if rest.prefix(while: { $0 != "/" && $0 != "?" }).contains("@") {
            note("must not hold a user or password; use key", in: fields, key)
        } else if queryNames?.contains(where: Self.isSecretName) == true {
            // Documents are shown to everybody who may look at the hub.
            note("must not hold a key; use key or headers", in: fields, key)
        } else if rest.contains("#") {
            note("must not hold a fragment (#)", in: fields, key)
        }
        return url
    }

    private static func isSecretName(_ name: String) -> Bool {
        ["key", "api_key", "apikey", "api-key", "token", "access_token", "secret", "password"].contains(name)
    }

    mutating func key(_ fields: Fields, isRequired: Bool = false) -> SecretReference? {
        guard let text = string(fields, "key", isRequired: isRequired) else { return nil }
        guard let reference = SecretReference(text), reference != .generated else {
            // The text may be the key itself: it is not repeated.
            note("must be env:NAME or file:PATH; keys never stand in documents", in: fields, "key")
            return nil
        }
        return reference
    }
}
