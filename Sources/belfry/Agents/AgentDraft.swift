import BelfryCore

/// The document that `belfry agents use` puts in the place of an agent's own.
struct AgentDraft {
    /// Who an agent may be told to ask.
    enum Provider: String, CaseIterable {
        case openai, anthropic, dify

        var baseURL: String {
            switch self {
            case .openai: "https://api.openai.com/v1"
            case .anthropic: AgentDefinition.AnthropicSettings.defaultBaseURL
            case .dify: AgentDefinition.DifySettings.defaultBaseURL
            }
        }

        /// What Belfry puts behind the address.
        var path: String {
            switch self {
            case .openai: "/chat/completions"
            case .anthropic: "/v1"
            case .dify: "/chat-messages"
            }
        }

        /// An app of Dify has a model of its own.
        var hasModel: Bool { self != .dify }
        /// Where one is cheap and stays.
        var defaultModel: String? { self == .openai ? "gpt-4o-mini" : nil }
    }

    /// Keys that every kind of agent has: they stay when the kind changes.
    private static let commonKeys = [
        "about", "connect_timeout", "first_byte_timeout", "idle_timeout", "retries", "output_max",
    ]

    let name: String
    private(set) var document: JSONObject
    /// What a person should know beside; nil for nothing.
    private(set) var remark: String?

    /// The built-in agent that needs no model. One that is already of this kind stays as it is.
    static func echo(name: String, stored: JSONObject) -> AgentDraft {
        AgentDraft(name: name, document: start(name, kind: "echo", stored))
    }

    /// An agent behind a provider: the stored document with the given values in place of its own.
    ///
    /// A key belongs to the address it was given for: another address without a key of its own has none.
    static func asking(
        _ provider: Provider, name: String, stored: JSONObject, model: String? = nil, baseURL: String? = nil,
        app: String? = nil, key: String? = nil
    ) throws -> AgentDraft {
        var draft = AgentDraft(name: name, document: start(name, kind: provider.rawValue, stored))
        let before = draft.document["base_url"]?.string ?? (draft.document["key"] == nil ? nil : provider.baseURL)
        let base = baseURL ?? before ?? provider.baseURL
        draft.document["base_url"] = .string(base)
        if provider.hasModel {
            guard let model = model ?? draft.document["model"]?.string ?? provider.defaultModel else {
                throw Failure(.usage, "\(name): say which model: --model M")
            }
            draft.document["model"] = .string(model)
        } else {
            draft.document["app"] = .string(app ?? draft.document["app"]?.string ?? "chat")
        }
        if let key {
            draft.document["key"] = .string("file:\(key)")
        } else if let before, !isSame(before, base), draft.document["key"] != nil {
            draft.document["key"] = nil
            draft.remark =
                "\(name) no longer uses the key that it had for \(before); --key-file F gives one for \(base)"
        }
        if isSame(base, provider.baseURL), draft.document["key"] == nil {
            let host = provider.baseURL.split(separator: "/").dropFirst().first ?? ""
            throw Failure(.usage, "\(name): \(host) needs a key: --key-file F")
        }
        return draft
    }

    /// The stored document if it is of this kind already, else what of it holds for every kind.
    private static func start(_ name: String, kind: String, _ stored: JSONObject) -> JSONObject {
        if stored["kind"]?.string == kind { return stored }
        var document: JSONObject = ["agent": .string(name), "kind": .string(kind)]
        for key in commonKeys { document[key] = stored[key] }
        return document
    }

    private static func isSame(_ left: String, _ right: String) -> Bool {
        func bare(_ url: String) -> Substring { url.hasSuffix("/") ? url.dropLast() : url[...] }
        return bare(left) == bare(right)
    }
}
