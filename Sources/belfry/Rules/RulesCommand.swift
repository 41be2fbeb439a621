import ArgumentParser

/// `belfry rules`
struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "What is to happen when which event comes.",
        discussion: """
            EXAMPLE
              belfry rules apply ./Rules
            """,
        subcommands: [
            RulesList.self, RulesShow.self, RulesApply.self, RulesTest.self, RulesBacktest.self, RulesGroups.self,
            RulesEnable.self, RulesDisable.self, RulesObserve.self, RulesMute.self, RulesVersions.self, RulesDiff.self,
            RulesRollback.self, RulesRemove.self, RulesImport.self,
        ],
        defaultSubcommand: RulesList.self
    )
}
