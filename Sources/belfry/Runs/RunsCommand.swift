import ArgumentParser

/// `belfry runs`
struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs",
        abstract: "What agents are doing and have done.",
        discussion: """
            EXAMPLE
              belfry runs watch run_01h455vb4pex5vsknk084sn02q
            """,
        subcommands: [
            RunsList.self, RunsShow.self, RunsWatch.self, RunsStart.self, RunsStop.self, RunsSkip.self, RunsAdjust.self,
            RunsRetry.self,
        ],
        defaultSubcommand: RunsList.self
    )
}
