import ArgumentParser
import BelfryCore

struct RulesDisable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Keep a rule, but let it start nothing.",
        discussion: """
            EXAMPLE
              belfry rules disable github-issue-triage
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The rule.") var name: String

    func run() async throws {
        let answer = try await client.client().post("/v1/rules/\(PercentEncoding.component(name))/disable")
        client.output.show(answer) { _ in "\(name) is disabled\n" }
    }
}
