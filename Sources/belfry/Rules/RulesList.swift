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
            Table(["name", "state", "owner", "version", "about"], answer.items) { rule in
                [rule.cell("name"), RuleStateText.of(rule, isShort: true)]
                    + ["owner", "version", "about"].map(rule.cell)
            }.text
        }
    }
}
