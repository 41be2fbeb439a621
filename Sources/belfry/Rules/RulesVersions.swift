import ArgumentParser
import BelfryCore

struct RulesVersions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "versions",
        abstract: "Show who changed a rule when, and which of its keys; newest first.",
        discussion: """
            A rule that was removed keeps its versions.

            EXAMPLE
              belfry rules versions github-issue-triage
            """
    )

    @OptionGroup var client: ClientOptions
    @OptionGroup var list: ListOptions
    @Argument(help: "The rule.") var name: String

    func run() async throws {
        let path = "/v1/rules/\(PercentEncoding.component(name))/versions"
        let answer = try await client.client().get(path, list.query)
        client.output.show(answer) { answer in
            Table(["version", "change", "time", "by", "owner", "keys"], answer.items) { version in
                [
                    version.cell("version"), Self.change(version), version.timeCell("created"), version.cell("by"),
                    version.cell("owner"), version.cell("keys"),
                ]
            }.text + Continuation.hint(answer)
        }
    }

    /// `changed`, or `changed (as 3)`.
    private static func change(_ version: JSONValue) -> String {
        version.cell("change") + (version["restored"].map { " (as \($0.cell))" } ?? "")
    }
}
