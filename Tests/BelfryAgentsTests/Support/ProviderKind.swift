import BelfryCore
import BelfryHTTP
import Logging
import Testing

@testable import BelfryAgents

/// Each kind of provider with a short stream of its own, so that one test asks the same of all.
enum ProviderKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case openai, anthropic, difyChat, difyWorkflow, http, httpText

    static let secret = "sk-SECRET-0123456789"
    var testDescription: String { rawValue }

    func kind(_ url: String) -> AgentDefinition.Kind {
        let key = SecretReference.file("key")
        switch self {
        case .openai:
            var settings = AgentDefinition.OpenAISettings(baseURL: url + "/v1/", model: "m\"1")
            settings.key = key
            settings.system = "Be terse."
            settings.temperature = 0.5
            settings.tokensMax = 99
            return .openai(settings)
        case .anthropic:
            var settings = AgentDefinition.AnthropicSettings(model: "m")
            settings.baseURL = url
            settings.key = key
            return .anthropic(settings)
        case .difyChat, .difyWorkflow:
            var settings = AgentDefinition.DifySettings(app: self == .difyChat ? .chat : .workflow, key: key)
            settings.baseURL = url + "/v1"
            return .dify(settings)
        case .http, .httpText:
            var settings = AgentDefinition.HTTPSettings(url: url + "/ask")
            settings.headers = [.init(name: "X-Key", value: .secret(key))]
            if self == .http {
                settings.delta = [.key("t")]
                settings.done = [.key("done")]
                settings.format = .sse
            } else {
                settings.format = .text
            }
            return .http(settings)
        }
    }

    func agent(
        _ server: ScriptedServer, clock: any Clock<Duration> = StepClock(), allowsPrivate: Bool = true,
        _ change: (inout AgentDefinition) -> Void = { _ in }
    ) -> any Agent {
        var definition = AgentDefinition(name: "a", kind: kind(server.url))
        change(&definition)
        var policy = OutboundPolicy(allowsPrivateAddresses: allowsPrivate)
        policy.proxies = .none
        let secrets = Dictionary(
            uniqueKeysWithValues: definition.secretReferences.map { ($0, Secret(Self.secret)) })
        return Agents.make(
            definition, secrets: secrets, http: HTTPClient(policy: policy, logger: Logger(label: "test")),
            commands: CommandRunner(hub: "test"), clock: clock)
    }

    /// A piece of the stream that says so much and nothing else.
    func says(_ text: String) -> String {
        switch self {
        case .openai: stream(#"{"choices":[{"index":0,"delta":{"content":"\#(text)"}}]}"#)
        case .anthropic:
            stream(#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\#(text)"}}"#)
        case .difyChat: stream(#"{"event":"message","task_id":"task-7","answer":"\#(text)"}"#)
        case .difyWorkflow: stream(#"{"event":"text_chunk","task_id":"task-7","data":{"text":"\#(text)"}}"#)
        case .http: stream(#"{"t":"\#(text)"}"#)
        case .httpText: text
        }
    }

    /// What ends the stream well.
    var end: String {
        switch self {
        case .openai:
            stream(
                #"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2}}"#,
                "[DONE]")
        case .anthropic:
            stream(
                #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":7,"output_tokens":2}}"#,
                #"{"type":"message_stop"}"#)
        case .difyChat:
            stream(
                #"{"event":"message_end","metadata":{"usage":{"prompt_tokens":7,"completion_tokens":2}}}"#)
        case .difyWorkflow: stream(#"{"event":"workflow_finished","data":{"status":"succeeded","total_tokens":9}}"#)
        case .http: stream(#"{"done":true}"#)
        case .httpText: ""
        }
    }

    var contentType: String { self == .httpText ? "text/plain; charset=utf-8" : "text/event-stream" }
    var isDify: Bool { self == .difyChat || self == .difyWorkflow }
    /// Text ends with the body: nothing tells a cut one that was closed well.
    var hasEnd: Bool { self != .httpText }
}

extension ScriptedConnection {
    /// Begins a chunked answer of this kind.
    func begin(_ kind: ProviderKind) {
        write("HTTP/1.1 200 OK\r\nContent-Type: \(kind.contentType)\r\nTransfer-Encoding: chunked\r\n\r\n")
    }

    /// A chunk with as many bytes as it has.
    @discardableResult
    func writeChunk(_ bytes: [UInt8]) -> Bool {
        write(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [0x0D, 0x0A])
    }
}
