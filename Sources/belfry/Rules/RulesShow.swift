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
        client.output.show(answer) { rule in
            Self.broken(rule) + StoredText.of(rule, facts: ["owner", "enabled"])
        }
    }

    private static func broken(_ rule: JSONValue) -> String {
        guard let broken = rule["broken"] else { return "" }
        return Terminal.red("# broken since \(broken.timeCell("since")): \(Terminal.harmless(broken.cell("reason")))\n")
    }
}
