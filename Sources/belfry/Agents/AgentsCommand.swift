import ArgumentParser

/// `belfry agents`
struct AgentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agents",
        abstract: "Where text comes from: a model, a command, or the built-in echo.",
        discussion: """
            EXAMPLE
              belfry agents use openai --key-file ./openai.key --model gpt-4o-mini
            """,
        subcommands: [AgentsList.self, AgentsShow.self, AgentsUse.self, AgentsTest.self],
        defaultSubcommand: AgentsList.self
    )
}
