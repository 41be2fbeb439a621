import BelfryCore
import Foundation
import Testing

@testable import BelfryRules

/// `agent:` documents of the kinds behind HTTP providers.
struct AgentDecoderTests {
    private func agent(_ text: String) throws -> AgentDefinition {
        guard case .agent(let agent) = try DocumentLoader.load(text)[0].content else {
            throw BelfryError(.internal, "no agent")
        }
        return agent
    }

    @Test("Anthropic: what is said, and what is not")
    func anthropic() throws {
        let whole = try agent(
            """
            agent: a
            kind: anthropic
            base_url: https://proxy.example/anthropic/
            model: claude-x
            key: env:K?
            system: Be brief.
            temperature: 1
            max_tokens: 100
            """)
        guard case .anthropic(let settings) = whole.kind else { throw Self.otherKind }
        #expect(settings.baseURL == "https://proxy.example/anthropic/" && settings.model == "claude-x")
        #expect(settings.system == "Be brief." && settings.temperature == 1 && settings.tokensMax == 100)
        #expect(whole.secretReferences == [.environment("K", isOptional: true)] && whole.body == nil)
        let least = try agent("agent: a\nkind: anthropic\nmodel: m\nkey: file:/k")
        guard case .anthropic(let defaults) = least.kind else { throw Self.otherKind }
        #expect(defaults.baseURL == "https://api.anthropic.com" && defaults.tokensMax == 4096)
    }

    @Test("what an operator may change on a live run: all there is, what the agent lists, nothing")
    func adjustable() throws {
        let model = "agent: a\nkind: anthropic\nmodel: m\nkey: env:K\n"
        #expect(try agent(model).adjustable == AdjustableField.allCases)
        #expect(try agent(model + "adjustable: [max_tokens]").adjustable == [.tokensMax])
        #expect(try agent(model + "adjustable: []").adjustable == [])
        #expect(throws: (any Error).self) { try agent(model + "adjustable: [model]") }
        #expect(throws: (any Error).self) { try agent("agent: a\nkind: echo\nadjustable: []") }
        #expect(try agent("agent: a\nkind: echo").adjustable == [])
    }

    @Test("Dify: the app, and inputs whose texts are templates")
    func dify() throws {
        let whole = try agent(
            """
            agent: a
            kind: dify
            app: workflow
            key: env:K
            inputs: {ticket: "{{event.data.id}}", text: "{{prompt}}", level: 3}
            """)
        guard case .dify(let settings) = whole.kind else { throw Self.otherKind }
        #expect(settings.app == .workflow && settings.baseURL == "https://api.dify.ai/v1")
        #expect(whole.body == ["ticket": "{{event.data.id}}", "text": "{{prompt}}", "level": 3])
        #expect(whole.secretReferences == [.environment("K", isOptional: false)])
    }

    @Test("http: headers, body, format and places")
    func http() throws {
        let whole = try agent(
            """
            agent: a
            kind: http
            url: https://agents.example/ask?mode=fast
            headers: {X-Key: env:K, X-Team: ops}
            body:
              input: ["{{prompt}}", "{{step}}"]
              stream: true
            format: ndjson
            delta: choices[0].delta["the text"]
            done: done
            error: error.message
            """)
        guard case .http(let settings) = whole.kind else { throw Self.otherKind }
        #expect(settings.url == "https://agents.example/ask?mode=fast" && settings.format == .ndjson)
        #expect(
            settings.headers == [
                .init(name: "X-Key", value: .secret(.environment("K", isOptional: false))),
                .init(name: "X-Team", value: .text("ops")),
            ])
        #expect(whole.body == ["input": ["{{prompt}}", "{{step}}"], "stream": true])
        #expect(settings.delta == [.key("choices"), .index(0), .key("delta"), .key("the text")])
        #expect(settings.done == [.key("done")] && settings.error == [.key("error"), .key("message")])
        #expect(try agent("agent: a\nkind: http\nurl: http://127.0.0.1:9/").secretReferences.isEmpty)
    }

    private static let otherKind = BelfryError(.internal, "another kind")

    private static let claude = "agent: a\nkind: anthropic\nmodel: m\n"
    private static let difyApp = "agent: a\nkind: dify\n"
    private static let url = "agent: a\nkind: http\nurl: https://x\n"

    private static let mistakes: [(String, String)] = [
        (claude, "t.yaml:1: key: is missing: https://api.anthropic.com takes no request without one"),
        ("agent: a\nkind: anthropic\nkey: env:K", "t.yaml:1: model: is missing"),
        ("\(claude)key: env:K\nbase_url: https://x/v1", "t.yaml:5: base_url: ends before /v1"),
        ("\(claude)key: env:K\nbase_url: https://x/v1/messages/", "t.yaml:5: base_url: ends before /v1/messages"),
        ("\(claude)key: env:K\ntemperature: 1.5", "t.yaml:5: temperature: must be from 0.0 to 1.0"),
        ("\(claude)key: env:K\napp: chat", "t.yaml:5: app: belongs to kind dify, not to anthropic"),
        ("\(difyApp)app: chat", "t.yaml:1: key: is missing"),
        ("\(difyApp)key: env:K", "t.yaml:1: app: is missing"),
        ("\(difyApp)key: env:K\napp: chatbot", "t.yaml:4: app: must be one of chat, agent, workflow"),
        ("\(difyApp)key: app-SECRET\napp: chat", "t.yaml:3: key: must be env:NAME or file:PATH"),
        ("\(difyApp)key: generate\napp: chat", "t.yaml:3: key: must be env:NAME or file:PATH"),
        ("\(difyApp)key: env:K\napp: chat\ninputs: [1]", "t.yaml:5: inputs: expected a mapping, found a list"),
        (
            "\(difyApp)key: env:K\napp: chat\ninputs:\n  a: x\n  b: \"{{evnt.id}}\"",
            "t.yaml:7: inputs.b: {{evnt.id}}: unknown root 'evnt'; did you mean 'event'?"
        ),
        (
            "\(difyApp)key: env:K\napp: chat\nbase_url: https://x/v1/chat-messages",
            "base_url: ends before /chat-messages"
        ),
        ("agent: a\nkind: http", "t.yaml:1: url: is missing"),
        ("agent: a\nkind: http\nurl: https://x/{{event.id}}", "t.yaml:3: url: must not be a template"),
        ("agent: a\nkind: http\nurl: https://x/?api_key=SECRET", "t.yaml:3: url: must not hold a key"),
        ("agent: a\nkind: http\nurl: https://u:SECRET@x/", "t.yaml:3: url: must not hold a user or password"),
        ("agent: a\nkind: http\nurl: https://x/#a", "t.yaml:3: url: must not hold a fragment"),
        ("\(url)headers: {\"a b\": x}", "t.yaml:4: headers.a b: is no header's name"),
        ("\(url)headers: {Content-Length: \"5\"}", "t.yaml:4: headers.Content-Length: is the client's own to set"),
        ("\(url)headers: {Authorization: Bearer SECRET}", "headers.Authorization: must be env:NAME or file:PATH"),
        ("\(url)headers: {X: \"{{event.id}}\"}", "t.yaml:4: headers.X: must not be a template"),
        ("\(url)headers: {X: \"a\\nb\"}", "t.yaml:4: headers.X: must be printable ASCII"),
        ("\(url)headers: {X: a, x: b}", "t.yaml:4: headers.x: stands twice"),
        ("\(url)headers: {X: 5}", "t.yaml:4: headers.X: expected text (put it in quotes), found a number"),
        ("\(url)headers: [x]", "t.yaml:4: headers: expected a mapping, found a list"),
        ("\(url)key: env:K\nheaders: {authorization: env:A}", "t.yaml:4: key: is the header Authorization"),
        ("\(url)body: text", "t.yaml:4: body: expected a mapping or a list, found text"),
        ("\(url)body:\n  - a: [\"{{#if x}}\"]", "t.yaml:5: body[0].a[0]: {{#if x}}: '#' has no meaning here"),
        ("\(url)format: xml", "t.yaml:4: format: must be one of sse, ndjson, json, text"),
        ("\(url)delta: a..b", "t.yaml:4: delta: 'a..b' is no path"),
        ("\(url)format: text\ndelta: a", "t.yaml:5: delta: leads nowhere: the format is text"),
        ("\(url)format: json\ndone: a", "t.yaml:5: done: one JSON has no end but its own"),
        (
            "agent: a\nkind: openai\nmodel: m\nbase_url: https://x\nkey_header: \"x:\"",
            "key_header: is no header's name"
        ),
    ]

    @Test("what is wrong is said with its line, and never with a key", arguments: mistakes)
    func wrong(text: String, expected: String) {
        let error = #expect(throws: DocumentErrors.self) { try DocumentLoader.load(text) }
        let lines = error?.diagnostics.map(\.description) ?? []
        #expect(lines.contains { $0.contains(expected) }, "\(lines)")
        #expect(!lines.contains { $0.contains("SECRET") }, "\(lines)")
    }

    @Test("the documents in the reference are valid")
    func reference() throws {
        let page = try String(
            contentsOf: URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().appending(path: "ops/reference/agents.md"),
            encoding: .utf8)
        let documents = page.split(separator: "```yaml\n").dropFirst().compactMap { $0.split(separator: "```").first }
        #expect(documents.count >= 2)
        for document in documents { _ = try agent(String(document)) }
    }

    @Test("a body's texts are put in and encoded afterwards: no payload adds a member, none is a template again")
    func bodies() throws {
        let template = try TemplateValue(
            ["a": ["{{event.data.x}}", 1, nil], "{{event.id}}": ["n": "{{event.data.n}} {{event.gone}}"]],
            roots: Template.agentRoots)
        var missing: [String] = []
        let context: JSONValue = ["event": ["data": ["x": "\", \"admin\": \"{{event.id}}", "n": ["k": 1]]]]
        #expect(
            try template.render(context, missing: &missing) == [
                "a": ["\", \"admin\": \"{{event.id}}", 1, nil], "{{event.id}}": ["n": "{\"k\":1} "],
            ])
        #expect(missing == ["event.gone"])
        #expect(template.asksFor(root: "event") && !template.asksFor(root: "group"))
        #expect(throws: TemplateError.self) { try TemplateValue(["a": ["{{prompt}}"]], roots: Template.stepRoots) }
    }

    @Test("a body that many large values fill is refused before it fills the memory")
    func largeBodies() throws {
        let leaves = JSONValue.array(Array(repeating: "{{event.data}}", count: 100))
        let template = try TemplateValue(["a": leaves], roots: Template.agentRoots)
        let large = String(repeating: "x", count: Limits.renderedBodyBytesMax / 10)
        var missing: [String] = []
        let error = #expect(throws: BelfryError.self) {
            try template.render(["event": ["data": .string(large)]], missing: &missing)
        }
        #expect(error?.code == .payloadTooLarge)
    }
}
