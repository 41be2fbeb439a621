import ArgumentParser
import BelfryCore

struct RulesShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one rule as it was written.",
        discussion: """
            EXAMPLE
              belfry rules show github-issue-triage
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The rule.") var name: String

    func run() async throws {
        let answer = try await client.client().get("/v1/rules/\(PercentEncoding.component(name))")
        client.output.show(answer) { StoredText.of($0, facts: ["owner", "enabled"]) }
    }
}
