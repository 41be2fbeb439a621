/// An agent as its document says it: a configured way to get text out of something.
public struct AgentDefinition: Sendable, Hashable {
    public var name: String
    public var about: String?
    public var kind: Kind
    /// How long the provider may take to connect, to send the first byte, and between two.
    public var connectTimeout: Duration = .seconds(10)
    public var firstByteTimeout: Duration = .seconds(60)
    public var idleTimeout: Duration = .seconds(60)
    /// Retries before the first token, for errors that may pass.
    public var retriesMax = 2
    public var outputBytesMax = Limits.stepOutputBytesMax
    /// What its tokens cost; nil: nobody has said.
    public var price: TokenPrice?
    /// What an operator may set for a step of a live run.
    public var adjustable: [AdjustableField]

    public enum Kind: Sendable, Hashable {
        /// Built in, no network: streams its text word by word.
        case echo(EchoSettings)
        case openai(OpenAISettings)
        case anthropic(AnthropicSettings)
        case dify(DifySettings)
        case http(HTTPSettings)
        case command(CommandSettings)

        /// Whether a model behind it can be given tools (`AgentRequest.tools`).
        public var takesTools: Bool {
            switch self {
            case .openai, .anthropic: true
            case .echo, .dify, .http, .command: false
            }
        }

        /// What its requests have a place for.
        public var adjustable: [AdjustableField] {
            switch self {
            case .openai, .anthropic: AdjustableField.allCases
            case .echo, .dify, .http, .command: []
            }
        }
    }

    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
        adjustable = kind.adjustable
    }

    /// What it sends instead of its kind's own, a value whose texts are templates (``HTTPSettings/body``,
    /// ``DifySettings/inputs``).
    public var body: JSONValue? {
        switch kind {
        case .dify(let settings): settings.inputs
        case .http(let settings): settings.body
        case .echo, .openai, .anthropic, .command: nil
        }
    }

    /// The secrets it can't work without, but for those that say they may be absent.
    public var secretReferences: [SecretReference] {
        switch kind {
        case .echo, .command: []
        case .openai(let settings): [settings.key].compactMap(\.self)
        case .anthropic(let settings): [settings.key].compactMap(\.self)
        case .dify(let settings): [settings.key]
        case .http(let settings):
            [settings.key].compactMap(\.self)
                + settings.headers.compactMap { if case .secret(let reference) = $0.value { reference } else { nil } }
        }
    }
}

extension AgentDefinition {
    public struct EchoSettings: Sendable, Hashable {
        /// What it says; a template. Nil says the step's prompt.
        public var text: String?
        public var wordsPerSecond: Double = 25
        public init() {}
    }

    public struct OpenAISettings: Sendable, Hashable {
        /// Up to and without `/chat/completions`, e.g. `https://api.openai.com/v1`; a query stays at the end.
        public var baseURL: String
        public var model: String
        public var key: SecretReference?
        /// The header that carries the key as it is (Azure: `api-key`); nil: `Authorization: Bearer`.
        public var keyHeader: String?
        public var system: String?
        public var temperature: Double?
        public var tokensMax: Int?
        public init(baseURL: String, model: String) {
            self.baseURL = baseURL
            self.model = model
        }
    }

    public struct AnthropicSettings: Sendable, Hashable {
        public static let defaultBaseURL = "https://api.anthropic.com"
        /// The API asks for a number; this many tokens are an answer of some pages.
        public static let defaultTokensMax = 4096

        /// Up to and without `/v1/messages`.
        public var baseURL = Self.defaultBaseURL
        public var model: String
        public var key: SecretReference?
        public var system: String?
        public var temperature: Double?
        public var tokensMax = Self.defaultTokensMax
        public init(model: String) { self.model = model }
    }

    public struct DifySettings: Sendable, Hashable {
        public static let defaultBaseURL = "https://api.dify.ai/v1"

        /// What kind of app the key belongs to; it decides the endpoints.
        public enum App: String, Sendable, Hashable, CaseIterable { case chat, agent, workflow }

        /// Up to and without `/chat-messages` or `/workflows/run`.
        public var baseURL = Self.defaultBaseURL
        public var app: App
        public var key: SecretReference
        /// Values of the app's variables; their texts are templates, which may also ask for `prompt` and `step`. Nil:
        /// none for a chat, `{prompt: …}` for a workflow.
        public var inputs: JSONValue?
        public init(app: App, key: SecretReference) {
            self.app = app
            self.key = key
        }
    }

    public struct HTTPSettings: Sendable, Hashable {
        /// How the answer is read.
        public enum Format: String, Sendable, Hashable, CaseIterable { case sse, ndjson, json, text }

        /// What a header says.
        public enum HeaderValue: Sendable, Hashable {
            case text(String)
            case secret(SecretReference)
        }

        public struct Header: Sendable, Hashable {
            public var name: String
            public var value: HeaderValue
            public init(name: String, value: HeaderValue) {
                self.name = name
                self.value = value
            }
        }

        /// Sent to as it is: no template.
        public var url: String
        /// For `Authorization: Bearer`.
        public var key: SecretReference?
        public var headers: [Header] = []
        /// What is sent, as JSON; its texts are templates, which may also ask for `prompt` and `step`. Nil:
        /// `{prompt, event, run, step}`.
        public var body: JSONValue?
        /// Nil: as the answer's content type says.
        public var format: Format?
        /// Where the text stands in each item of the answer; nil: the item is the text.
        public var delta: [EventPath.Part]?
        /// A value there other than null and false ends the answer; nil: its end does.
        public var done: [EventPath.Part]?
        /// A value there other than null, false and "" is an error.
        public var error: [EventPath.Part]?
        public init(url: String) { self.url = url }
    }

    public struct CommandSettings: Sendable, Hashable {
        /// The first is a name from the server's `commands:` table; the rest are templates.
        public var arguments: [String]
        public var timeout: Duration = .seconds(300)
        public init(arguments: [String]) { self.arguments = arguments }
    }
}
