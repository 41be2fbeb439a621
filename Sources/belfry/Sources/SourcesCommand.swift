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
        subcommands: [
            SourcesList.self, SourcesShow.self, SourcesAdd.self, SourcesRotate.self, SourcesPause.self,
            SourcesResume.self, SourcesRemove.self,
        ],
        defaultSubcommand: SourcesList.self
    )
}
