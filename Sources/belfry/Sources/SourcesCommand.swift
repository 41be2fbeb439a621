import ArgumentParser

/// `belfry sources`
struct SourcesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sources",
        abstract: "Where events come from.",
        discussion: """
            EXAMPLE
              belfry sources show github
            """,
        subcommands: [SourcesList.self, SourcesShow.self, SourcesPause.self, SourcesResume.self],
        defaultSubcommand: SourcesList.self
    )
}
