import ArgumentParser
import BelfryCore

struct RulesRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove a rule. Its versions stay, and bring it back.",
        discussion: """
            Runs that it started go on. A rule of the rules folder is removed there.

            EXAMPLE
              belfry rules rm github-issue-triage
              belfry rules rm github-issue-triage --if-version 4
            """
    )

    @OptionGroup var client: ClientOptions
    @OptionGroup var condition: VersionCondition
    @Argument(help: "The rule.") var name: String

    func run() async throws {
        let client = try self.client.client()
        let path = "/v1/rules/\(PercentEncoding.component(name))"
        let version = try await client.get(path).cell("version")
        let answer = try await client.call("DELETE", path, headers: condition.headers).body
        self.client.output.show(answer) { _ in
            "\(name) is removed; belfry rules rollback \(name) \(version) brings it back\n"
        }
    }
}
