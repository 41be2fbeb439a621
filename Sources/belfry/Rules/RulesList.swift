import ArgumentParser
import BelfryCore

struct RulesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show all rules.",
        discussion: """
            EXAMPLE
              belfry rules list
            """
    )

    @OptionGroup var client: ClientOptions

    func run() async throws {
        let answer = try await client.client().get("/v1/rules")
        client.output.show(answer) { answer in
            Table(["name", "enabled", "mode", "owner", "version", "about"], answer.items) { rule in
                ["name", "enabled", "mode", "owner", "version", "about"].map(rule.cell)
            }.text
        }
    }
}
