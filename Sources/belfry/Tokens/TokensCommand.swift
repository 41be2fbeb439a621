import ArgumentParser

/// `belfry tokens`
struct TokensCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens",
        abstract: "Who may do what.",
        discussion: """
            EXAMPLE
              belfry tokens create dashboard --role viewer
            """,
        subcommands: [TokensCreate.self, TokensList.self, TokensRevoke.self],
        defaultSubcommand: TokensList.self
    )
}
