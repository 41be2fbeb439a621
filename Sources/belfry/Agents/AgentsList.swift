import ArgumentParser
import BelfryCore

struct AgentsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show all agents.",
        discussion: """
            EXAMPLE
              belfry agents list
            """
    )

    @OptionGroup var client: ClientOptions

    func run() async throws {
        let answer = try await client.client().get("/v1/agents")
        client.output.show(answer) { answer in
            Table(["name", "kind", "model", "url", "owner", "version", "about"], answer.items) { agent in
                ["name", "kind", "model", "base_url", "owner", "version", "about"].map(agent.cell)
            }.text
        }
    }
}
