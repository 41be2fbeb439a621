import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes

/// Agents: the configured ways to get text out of something.
struct AgentRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/agents", .role(.viewer)) { _ in .list(hub.agents()) }
        table.add(.get, "/v1/agents/:name", .role(.viewer), get)
        table.add(.put, "/v1/agents/:name", .role(.admin), put)
        table.add(.post, "/v1/agents/:name/test", .role(.operator), test)
    }

    private func get(_ request: RouteRequest) async throws -> Reply {
        let name = try request.name("name")
        guard let agent = hub.agent(name) else { throw hub.unknown(DocumentName(.agent, name)) }
        return .json(agent, headers: agent.entityTag)
    }

    /// `{prompt?}` → `{agent, kind, ok, text, first_token_ms, total_ms, usage?, error?}`
    private func test(_ request: RouteRequest) async throws -> Reply {
        let prompt = try request.optionalJSON().members(of: ["prompt"])["prompt"]
        if let prompt {
            guard let text = prompt.string, (1...Limits.agentTrialPromptBytesMax).contains(text.utf8.count) else {
                throw BelfryError(
                    .malformed, "prompt must be a text of 1 to \(Limits.agentTrialPromptBytesMax) bytes")
            }
        }
        return .json(
            try await hub.testAgent(try request.name("name"), prompt: prompt?.string, by: try request.caller()))
    }

    private func put(_ request: RouteRequest) async throws -> Reply {
        let name = try request.name("name")
        let isNew = try await hub.putDocument(
            DocumentName(.agent, name), text: try request.text(), precondition: try request.precondition(),
            by: try request.caller()
        )
        let agent = hub.agent(name) ?? JSONObject()
        return .json(agent, status: isNew ? 201 : 200, headers: agent.entityTag)
    }
}
