import ArgumentParser
import BelfryCore

struct AgentsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one agent as it was written.",
        discussion: """
            EXAMPLE
              belfry agents show oncall
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The agent.") var name: String

    func run() async throws {
        let answer = try await client.client().get("/v1/agents/\(PercentEncoding.component(name))")
        client.output.show(answer) { agent in
            let problem = agent["problem"]?.string.map { Terminal.red("# \(Terminal.harmless($0))\n") } ?? ""
            return StoredText.of(agent, facts: ["kind", "owner"]) + problem
        }
    }
}
