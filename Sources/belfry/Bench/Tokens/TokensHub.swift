import BelfryCore
import BelfrySources

/// The hub's side of the benchmark: the documents that it needs there while it runs.
struct TokensHub {
    /// The rule, its agent, and the source of the events that start it.
    static let name = "bench-tokens"
    /// The source of the deliveries beside, and the rule that each of them matches.
    static let ingest = "bench-tokens-ingest"

    let client: APIClient

    /// Makes the agent and the rule, and for deliveries their source and a rule that observes.
    /// - Parameter provider: an agent's `base_url`.
    func setUp(provider: String, runs: Int, hasIngest: Bool) async throws {
        let name = Self.name, ingest = Self.ingest
        let text = """
            agent: \(name)
            about: The scripted provider of belfry bench tokens.
            kind: openai
            base_url: \(provider)
            model: scripted
            retries: 0
            idle_timeout: 300s
            ---
            rule: \(name)
            when: { source: [\(name)], type: [bench.tokens] }
            limits: { concurrency: \(runs), runs_per_hour: 1000000, failures: 1000 }
            run:
              steps:
                - { step: talk, agent: \(name), prompt: "\(ProviderAnswer.promptStart){{data.number}}" }
            """
        let beside = """

            ---
            source: \(ingest)
            preset: github
            secret: generate
            ---
            rule: \(ingest)
            mode: observe
            when: { source: [\(ingest)] }
            run:
              steps:
                - { step: talk, agent: \(name), prompt: "{{event.type}}" }
            """
        let file: JSONValue = ["path": "bench-tokens.yaml", "text": .string(text + (hasIngest ? beside : ""))]
        try await client.post("/v1/documents", ["files": [file]])
    }

    /// A signed push as GitHub sends it, of which each delivery is one more.
    func delivery(to hub: Endpoint) async throws -> PacedIngest.Template {
        let template = try DeliveryTemplate(named: "github-push", file: nil, headers: [])
        let target = try await DeliveryTarget.find(
            preset: .github, name: Self.ingest, secretFile: nil, client: client)
        let id = DeliveryTarget.newID()
        guard let delivery = PacedIngest.Template(target.request(template, id: id, to: hub), id: id) else {
            throw Failure(.negative, "a delivery of \(Self.ingest) has no place for its id")
        }
        return delivery
    }

    /// Removes the rules and the source; what is not there is not missed. Agents can't be removed: one stays.
    func remove() async throws {
        for path in ["rules/\(Self.name)", "rules/\(Self.ingest)", "sources/\(Self.ingest)"] {
            let answer = try await client.exchange("DELETE", "/v1/\(path)")
            guard (200..<300).contains(answer.status) || answer.status == 404 else {
                throw client.failure(answer, at: "DELETE /v1/\(path)")
            }
        }
    }
}
