import BelfryCore
import BelfryHTTP
import Testing

@testable import BelfryAgents

/// What is sent to the providers.
struct ProviderRequestTests {
    private static let tool = ToolDefinition(
        name: "look", description: "Looks.", parameters: ["type": "object", "properties": ["a": ["type": "integer"]]])

    /// A conversation with everything in it.
    private static var conversation: AgentRequest {
        var request = AgentRequest.test(prompt: "Why?")
        request.messages = [
            .system("House rule."), .user("Why?"),
            .assistant("Let me see.", toolCalls: [ToolCall(id: "c1", name: "look", arguments: #"{"a":1}"#)]),
            .toolResult(id: "c1", text: "a wall", isError: false),
            .assistant(
                "",
                toolCalls: [
                    ToolCall(id: "c2", name: "look", arguments: ""),
                    ToolCall(id: "c3", name: "look", arguments: "{oops"),
                ]),
            .toolResult(id: "c2", text: "nothing", isError: false),
            .toolResult(id: "c3", text: "no JSON", isError: true),
            .user("And now?"),
        ]
        request.tools = [tool]
        request.temperature = 0.25
        request.tokensMax = 77
        return request
    }

    private func body(_ provider: some Provider, _ request: AgentRequest) throws -> JSONValue {
        try JSONValue(parsing: try provider.httpRequest(for: request).body)
    }

    private func headers(_ provider: some Provider) throws -> [String: String] {
        Dictionary(uniqueKeysWithValues: try provider.httpRequest(for: .test(prompt: "x")).headers.map { ($0, $1) })
    }

    @Test("OpenAI: the conversation, tools and overrides")
    func openai() throws {
        var settings = AgentDefinition.OpenAISettings(baseURL: "http://h/v1", model: "m")
        settings.system = "Be terse."
        settings.temperature = 1
        settings.tokensMax = 5
        var request = Self.conversation
        request.responseSchema = ["type": "object"]
        let body = try body(OpenAIProvider(settings: settings, key: nil), request)
        #expect(
            body["messages"] == [
                ["role": "system", "content": "Be terse."], ["role": "system", "content": "House rule."],
                ["role": "user", "content": "Why?"],
                [
                    "role": "assistant", "content": "Let me see.",
                    "tool_calls": [
                        ["id": "c1", "type": "function", "function": ["name": "look", "arguments": #"{"a":1}"#]]
                    ],
                ],
                ["role": "tool", "tool_call_id": "c1", "content": "a wall"],
                [
                    "role": "assistant", "content": nil,
                    "tool_calls": [
                        ["id": "c2", "type": "function", "function": ["name": "look", "arguments": "{}"]],
                        ["id": "c3", "type": "function", "function": ["name": "look", "arguments": "{oops"]],
                    ],
                ],
                ["role": "tool", "tool_call_id": "c2", "content": "nothing"],
                ["role": "tool", "tool_call_id": "c3", "content": "no JSON"], ["role": "user", "content": "And now?"],
            ])
        #expect(
            body["tools"] == [
                [
                    "type": "function",
                    "function": ["name": "look", "description": "Looks.", "parameters": Self.tool.parameters],
                ]
            ])
        #expect(body["temperature"] == .double(0.25) && body["max_tokens"] == 77)
        #expect(body["response_format"]?["json_schema"]?["schema"] == ["type": "object"])
    }

    @Test("OpenAI: the key's header, a query behind the path, and the name of max_tokens follow the address")
    func openaiAddresses() throws {
        var settings = AgentDefinition.OpenAISettings(
            baseURL: "https://x.openai.azure.com/d/?api-version=1", model: "m")
        settings.keyHeader = "api-key"
        settings.tokensMax = 5
        let provider = OpenAIProvider(settings: settings, key: Secret("k"))
        let request = try provider.httpRequest(for: .test(prompt: "x"))
        #expect(request.url == "https://x.openai.azure.com/d/chat/completions?api-version=1")
        #expect(try headers(provider)["api-key"] == "k" && headers(provider)["Authorization"] == nil)
        #expect(try body(provider, .test(prompt: "x"))["max_completion_tokens"] == 5)
        #expect(try body(provider, .test(prompt: "x"))["tools"] == nil)
    }

    @Test("Anthropic: system apart, turns that alternate, results before what the user says")
    func anthropic() throws {
        var settings = AgentDefinition.AnthropicSettings(model: "c")
        settings.system = "Be terse."
        var request = Self.conversation
        request.responseSchema = ["type": "object"]
        request.temperature = 1.5
        let provider = AnthropicProvider(settings: settings, key: Secret("k"))
        let body = try body(provider, request)
        let system = try #require(body["system"]?.string)
        #expect(system.hasPrefix("Be terse.\n\nHouse rule.\n\n") && system.hasSuffix(#"{"type":"object"}"#))
        #expect(
            body["messages"] == [
                ["role": "user", "content": [["type": "text", "text": "Why?"]]],
                [
                    "role": "assistant",
                    "content": [
                        ["type": "text", "text": "Let me see."],
                        ["type": "tool_use", "id": "c1", "name": "look", "input": ["a": 1]],
                    ],
                ],
                ["role": "user", "content": [["type": "tool_result", "tool_use_id": "c1", "content": "a wall"]]],
                [
                    "role": "assistant",
                    "content": [
                        ["type": "tool_use", "id": "c2", "name": "look", "input": [:]],
                        ["type": "tool_use", "id": "c3", "name": "look", "input": [:]],
                    ],
                ],
                [
                    "role": "user",
                    "content": [
                        ["type": "tool_result", "tool_use_id": "c2", "content": "nothing"],
                        ["type": "tool_result", "tool_use_id": "c3", "content": "no JSON", "is_error": true],
                        ["type": "text", "text": "And now?"],
                    ],
                ],
            ])
        #expect(body["max_tokens"] == 77 && body["temperature"] == 1 && body["model"] == "c" && body["stream"] == true)
        #expect(
            body["tools"] == [
                ["name": "look", "description": "Looks.", "input_schema": Self.tool.parameters]
            ])
        let sent = try provider.httpRequest(for: .test(prompt: "x"))
        #expect(sent.url == "https://api.anthropic.com/v1/messages")
        #expect(try headers(provider)["x-api-key"] == "k" && headers(provider)["anthropic-version"] == "2023-06-01")
        #expect(try self.body(provider, .test(prompt: "x"))["max_tokens"] == 4096)
    }

    @Test("Dify: a chat's query, a workflow's inputs, the run as the user, and the stop of each")
    func dify() throws {
        let request = AgentRequest.test(prompt: "Why?")
        let user = JSONValue.string("\(request.run)")
        var settings = AgentDefinition.DifySettings(app: .chat, key: .file("k"))
        settings.baseURL = "http://h/v1/"
        let chat = DifyProvider(settings: settings, key: Secret("app-1"))
        #expect(
            try body(chat, request) == [
                "query": "Why?", "inputs": [:], "response_mode": "streaming", "user": user, "auto_generate_name": false,
            ])
        #expect(try chat.httpRequest(for: request).url == "http://h/v1/chat-messages")
        #expect(try headers(chat)["Authorization"] == "Bearer app-1")
        let stop = try #require(chat.stopRequest(task: "t1", of: request))
        #expect(stop.url == "http://h/v1/chat-messages/t1/stop" && stop.method == "POST")
        #expect(try JSONValue(parsing: stop.body) == ["user": user])

        settings.app = .workflow
        let workflow = DifyProvider(settings: settings, key: nil)
        #expect(
            try body(workflow, request) == [
                "inputs": ["prompt": "Why?"], "response_mode": "streaming", "user": user,
            ])
        #expect(try workflow.httpRequest(for: request).url == "http://h/v1/workflows/run")
        #expect(workflow.stopRequest(task: "t1", of: request)?.url == "http://h/v1/workflows/tasks/t1/stop")
        var own = request
        own.body = ["ticket": "7"]
        #expect(try body(workflow, own)["inputs"] == ["ticket": "7"])
    }

    @Test("http: the default body, a body of its own, headers with and without secrets")
    func http() throws {
        var settings = AgentDefinition.HTTPSettings(url: "http://h/x?y=1")
        settings.key = .file("k")
        settings.headers = [
            .init(name: "accept", value: .text("text/plain")), .init(name: "X-Key", value: .secret(.file("x"))),
            .init(name: "X-Gone", value: .secret(.environment("GONE", isOptional: true))),
        ]
        let provider = HTTPProvider(settings: settings, secrets: [.file("k"): Secret("k1"), .file("x"): Secret("x1")])
        var request = AgentRequest.test(prompt: "Why?")
        request.input = try RawJSON(validating: Array(#"{"id":"e"}"#.utf8))
        request.hops = 3
        #expect(
            try body(provider, request) == [
                "prompt": "Why?", "event": ["id": "e"], "run": .string("\(request.run)"), "step": "diagnose",
            ])
        let sent = try provider.httpRequest(for: request)
        #expect(sent.url == "http://h/x?y=1" && sent.method == "POST")
        let headers = Dictionary(uniqueKeysWithValues: sent.headers.map { ($0, $1) })
        #expect(
            headers == [
                "Content-Type": "application/json", "accept": "text/plain", "X-Key": "x1",
                "Authorization": "Bearer k1", "belfry-hops": "3",
            ])
        request.body = ["q": ["a", 1]]
        #expect(try body(provider, request) == ["q": ["a", 1]])
    }

    @Test("how an http answer is read follows its content type, unless the document says it")
    func formats() {
        func isRead(_ type: String?, format: AgentDefinition.HTTPSettings.Format? = nil) -> Bool {
            var settings = AgentDefinition.HTTPSettings(url: "http://h")
            settings.format = format
            return HTTPProvider(settings: settings, secrets: [:]).answer(ofType: type) != nil
        }
        for type in [
            nil, "text/event-stream", "application/x-ndjson", "application/json", "text/plain", "text/markdown",
            "application/problem+json", "application/octet-stream",
        ] {
            #expect(isRead(type), "\(type ?? "none")")
        }
        for type in ["text/html", "image/png", "application/pdf"] { #expect(!isRead(type), "\(type)") }
        #expect(isRead("text/html", format: .text))
    }

    @Test("who can't be given tools says so")
    func tools() async {
        let dify = DifyProvider(settings: .init(app: .chat, key: .file("k")), key: nil)
        let http = HTTPProvider(settings: .init(url: "http://h"), secrets: [:])
        let command = CommandAgent(timeout: .seconds(1), outputBytesMax: 10, commands: CommandRunner(hub: "test"))
        let echo = EchoAgent(wordsPerSecond: 1, outputBytesMax: 10, clock: StepClock())
        for refuse in [
            { _ = try dify.httpRequest(for: Self.conversation) }, { _ = try http.httpRequest(for: Self.conversation) },
        ] {
            let error = #expect(throws: BelfryError.self, performing: refuse)
            #expect(error?.message.contains("can't be given tools") == true)
        }
        for agent in [command, echo] as [any Agent] {
            let error = await #expect(throws: BelfryError.self) { try await agent.run(Self.conversation) { _ in } }
            #expect(error?.message.contains("can't be given tools") == true)
        }
        #expect(AgentDefinition.Kind.openai(.init(baseURL: "", model: "")).takesTools)
        #expect(!AgentDefinition.Kind.http(.init(url: "")).takesTools)
    }

    @Test("one text for those that know no conversation")
    func prompt() {
        var request = AgentRequest.test(prompt: "Why?")
        #expect(request.prompt == "Why?" && request.messages == [.user("Why?")] && request.messageBytes == 4)
        request.messages += [.assistant("So.", toolCalls: []), .user("Sure?")]
        #expect(request.prompt == "Why?\n\nSo.\n\nSure?")
        request.prompt = "New"
        #expect(request.messages == [.user("New")])
    }
}
