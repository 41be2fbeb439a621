import BelfryCore
import BelfryStore
import Testing

@testable import BelfryEngine

/// Agents that are asked one thing, without a run.
@Suite(.timeLimit(.minutes(3))) struct AgentTrialTests {
    private static let documents = """
        agent: parrot
        kind: echo
        words_per_second: 1000
        ---
        agent: host
        kind: echo
        text: "{{rule.name}} of {{event.type}} and {{params.none}}"
        words_per_second: 1000
        ---
        agent: deaf
        kind: openai
        base_url: http://127.0.0.1:1/v1
        model: none
        retries: 0
        ---
        agent: locked
        kind: openai
        base_url: http://127.0.0.1:1/v1
        model: none
        key: env:NOT_ALLOWED
        ---
        agent: script
        kind: command
        command: [shell, "-c", "echo found; exit 3"]
        """

    @Test("an agent that works says what it was asked for, and when its first words came")
    func works() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            let answer = try await test.hub.testAgent("parrot", prompt: "one two", by: .hub)
            #expect(answer["ok"] == true && answer["text"] == "one two" && answer["kind"] == "echo", "\(answer)")
            let first = try #require(answer["first_token_ms"]?.number?.int64)
            #expect(first >= 0 && first <= answer["total_ms"]?.number?.int64 ?? -1)
            let host = try await test.hub.testAgent("host", by: .hub)
            #expect(host["text"] == "test of test and ", "\(host)")
            let audit = try await test.hub.store.audit(cursor: nil).items
            #expect(audit.contains { $0.action == "agent.tested" && $0.subject == "agent/parrot" })
            #expect(try await test.hub.runs(state: nil, rule: nil, limit: 1, cursor: nil).items.isEmpty)
        }
    }

    @Test(
        "one that fails says why, and what it has said before; one that there is not is not found",
        arguments: [
            ("deaf", "agent_unreachable", ""), ("locked", "secret_unavailable", ""),
            ("script", "command_failed", "found "),
        ])
    func fails(name: String, code: String, text: String) async throws {
        try await TestHub.with(documents: Self.documents, commands: ["shell": "/bin/sh"]) { test in
            let answer = try await test.hub.testAgent(name, by: .hub)
            #expect(answer["ok"] == false && answer["error"]?["code"] == .string(code), "\(answer)")
            #expect(answer["text"] == .string(text))
            await #expect(throws: BelfryError.self) { _ = try await test.hub.testAgent("prrot", by: .hub) }
        }
    }
}
