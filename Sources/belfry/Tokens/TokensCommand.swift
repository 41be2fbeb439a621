import ArgumentParser

/// `belfry tokens`
struct TokensCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens",
        abstract: "Who may do what.",
        discussion: """
            EXAMPLE
              belfry tokens create dashboard --role viewer
              belfry tokens sign-in
            """,
        subcommands: [TokensCreate.self, TokensList.self, TokensRevoke.self, TokensSignIn.self],
        defaultSubcommand: TokensList.self
    )
}
