import BelfryCore

/// The document that `belfry agents use` puts in the place of an agent's own.
struct AgentDraft {
    static let defaultModel = "gpt-4o-mini"
    static let defaultBaseURL = "https://api.openai.com/v1"
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

    /// A model behind OpenAI's protocol: the stored document with the given values in place of its own.
    ///
    /// A key belongs to the address it was given for: another address without a key of its own has none.
    static func openai(
        name: String, stored: JSONObject, model: String?, baseURL: String?, key: String?
    ) throws -> AgentDraft {
        var draft = AgentDraft(name: name, document: start(name, kind: "openai", stored))
        let before = draft.document["base_url"]?.string
        let base = baseURL ?? before ?? defaultBaseURL
        draft.document["base_url"] = .string(base)
        draft.document["model"] = .string(model ?? draft.document["model"]?.string ?? defaultModel)
        if let key {
            draft.document["key"] = .string("file:\(key)")
        } else if let before, !isSame(before, base), draft.document["key"] != nil {
            draft.document["key"] = nil
            draft.remark =
                "\(name) no longer uses the key that it had for \(before); --key-file F gives one for \(base)"
        }
        if isSame(base, defaultBaseURL), draft.document["key"] == nil {
            throw Failure(.usage, "\(name): api.openai.com needs a key: --key-file F")
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
