import BelfryCore
import Foundation
import Testing

/// Every kind of agent through the real hub: what is asked on the wire, and what viewers see.
@Suite(.timeLimit(.minutes(3))) struct ProviderTests {
    private static let rule = """
        source: lab
        preset: none
        ---
        rule: ask
        when: { source: [lab] }
        run: { steps: [ { step: ask, agent: model, prompt: "Pump {{data.n}}?" } ] }
        ---

        """

    private static let key = "app-secret-0123456789"

    /// Posts an event and waits for the end of its run.
    private func run(
        _ agent: String, _ body: (_ run: JSONValue, _ hub: HubProcess) async throws -> Void
    ) async throws {
        try await withHub(documents: Self.rule + agent, environment: ["DIFY_API_KEY": Self.key]) { hub in
            let client = try hub.client
            let posted = try await client.request("POST", "/hooks/lab", json: ["n": 7, "quote": "\", \"x\": \""])
            let id = try #require(posted.json["runs"]?.array?.first?.string)
            _ = try await client.stream("/v1/runs/\(id)/stream?after=0").blocks()
            try await body(try await client.request("GET", "/v1/runs/\(id)").json, hub)
        }
    }

    private static func events(_ events: String...) -> ScriptedProvider.Action {
        .raw(events.map { "data: \($0)\n\n" }.joined())
    }

    @Test("anthropic")
    func anthropic() async throws {
        let provider = try ScriptedProvider([
            Self.events(
                #"{"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1}}}"#,
                #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Fine."}}"#,
                #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}}"#,
                #"{"type":"message_stop"}"#)
        ])
        defer { provider.stop() }
        let agent = """
            agent: model
            kind: anthropic
            base_url: http://127.0.0.1:\(provider.port)
            model: scripted
            key: env:DIFY_API_KEY
            """
        try await run(agent) { run, _ in
            #expect(run["state"]?.string == "succeeded", "\(run)")
            #expect(run["steps"]?.array?.first?["output"]?.string == "Fine.", "\(run)")
            let exchange = try #require(provider.exchanges.first)
            #expect(exchange.head.hasPrefix("POST /v1/messages HTTP/1.1"))
            #expect(exchange.head.contains("x-api-key: \(Self.key)"))
            let sent = try JSONValue(parsing: exchange.body)
            #expect(sent["messages"]?.array?.first?["content"]?.array?.first?["text"] == "Pump 7?")
        }
    }

    @Test(
        "dify: inputs are rendered, the run is the user; a stop reaches Dify's own endpoint before it is acknowledged")
    func dify() async throws {
        let provider = try ScriptedProvider(
            [Self.events(#"{"event":"text_chunk","task_id":"task-9","data":{"text":"Thinking"}}"#), .hang],
            [.status(200, #"{"result":"success"}"#)])
        defer { provider.stop() }
        let agent = """
            agent: model
            kind: dify
            app: workflow
            base_url: \(provider.baseURL)
            key: env:DIFY_API_KEY
            inputs: { question: "{{prompt}}", quote: "{{data.quote}}", step: "{{step}}" }
            """
        try await withHub(documents: Self.rule + agent, environment: ["DIFY_API_KEY": Self.key]) { hub in
            let client = try hub.client
            let posted = try await client.request("POST", "/hooks/lab", json: ["n": 7, "quote": "\", \"x\": \""])
            let id = try #require(posted.json["runs"]?.array?.first?.string)
            _ = try await client.stream("/v1/runs/\(id)/stream?after=0").blocks {
                $0.frame["data"]?["delta"]?.string == "Thinking"
            }
            let answer = try await client.request("POST", "/v1/runs/\(id)/stop", json: [:])
            #expect(answer.json["result"]?.string == "applied")
            let exchanges = provider.exchanges
            try #require(exchanges.count == 2)
            let asked = try JSONValue(parsing: exchanges[0].body)
            #expect(asked["inputs"] == ["question": "Pump 7?", "quote": "\", \"x\": \"", "step": "ask"])
            #expect(asked["user"]?.string == id)
            #expect(exchanges[1].head.hasPrefix("POST /v1/workflows/tasks/task-9/stop HTTP/1.1"))
            #expect(try JSONValue(parsing: exchanges[1].body) == ["user": .string(id)])
            #expect(try await client.request("GET", "/v1/runs/\(id)").json["state"]?.string == "stopped")
        }
    }

    @Test("dify: a stop that Dify refuses is unconfirmed, and a notice says so")
    func difyUnconfirmed() async throws {
        let provider = try ScriptedProvider(
            [Self.events(#"{"event":"message","task_id":"task-9","answer":"Thinking"}"#), .hang], [.status(500, "{}")])
        defer { provider.stop() }
        let agent = """
            agent: model
            kind: dify
            app: chat
            base_url: \(provider.baseURL)
            key: env:DIFY_API_KEY
            """
        try await withHub(documents: Self.rule + agent, environment: ["DIFY_API_KEY": Self.key]) { hub in
            let client = try hub.client
            let posted = try await client.request("POST", "/hooks/lab", json: ["n": 7])
            let id = try #require(posted.json["runs"]?.array?.first?.string)
            _ = try await client.stream("/v1/runs/\(id)/stream?after=0").blocks {
                $0.frame["data"]?["delta"]?.string == "Thinking"
            }
            let answer = try await client.request("POST", "/v1/runs/\(id)/stop", json: [:])
            #expect(answer.json["result"]?.string == "applied, unconfirmed", "\(answer.json)")
            #expect(answer.json["reason"]?.string?.contains("task-9") == true, "\(answer.json)")
            let state = try await eventually(within: .seconds(5), "the run to end") {
                let state = try await client.request("GET", "/v1/runs/\(id)").json["state"]?.string
                return state == "stopping" ? nil : state
            }
            #expect(state == "stopped")
        }
    }

    @Test("http: a body of its own, lines of JSON back; the default body holds the event")
    func http() async throws {
        let lines = ScriptedProvider.Action.raw("{\"out\":\"Fi\"}\n{\"out\":\"ne.\",\"last\":true}\n")
        let provider = try ScriptedProvider([lines])
        defer { provider.stop() }
        let agent = """
            agent: model
            kind: http
            url: http://127.0.0.1:\(provider.port)/ask
            headers: { X-Key: env:DIFY_API_KEY }
            format: ndjson
            delta: out
            done: last
            """
        try await run(agent + "\nbody: { q: \"{{prompt}} {{data.quote}}\", n: [1] }") { run, _ in
            #expect(run["steps"]?.array?.first?["output"]?.string == "Fine.", "\(run)")
            let exchange = try #require(provider.exchanges.first)
            #expect(exchange.head.hasPrefix("POST /ask HTTP/1.1") && exchange.head.contains("X-Key: \(Self.key)"))
            #expect(try JSONValue(parsing: exchange.body) == ["q": "Pump 7? \", \"x\": \"", "n": [1]])
        }
        try await run(agent) { run, _ in
            let sent = try JSONValue(parsing: try #require(provider.exchanges.last).body)
            #expect(sent["prompt"] == "Pump 7?" && sent["step"] == "ask" && sent["run"]?.string == run["id"]?.string)
            #expect(sent["event"]?["data"]?["n"] == 7)
        }
    }

    @Test("a missing key disables that agent alone, and says which; a key never shows")
    func missingKey() async throws {
        let agent = """
            agent: model
            kind: anthropic
            model: m
            key: env:NO_SUCH_KEY
            """
        try await run(agent) { run, hub in
            #expect(run["state"]?.string == "failed", "\(run)")
            let shown = try await hub.client.request("GET", "/v1/agents/model").json
            #expect(shown["kind"]?.string == "anthropic" && shown["model"]?.string == "m", "\(shown)")
            #expect(!shown.text.contains(Self.key) && !run.text.contains(Self.key))
        }
    }
}
