import ArgumentParser
import BelfryCore

struct RulesEnable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Let a rule start runs again.",
        discussion: """
            EXAMPLE
              belfry rules enable github-issue-triage
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The rule.") var name: String

    func run() async throws {
        let answer = try await client.client().post("/v1/rules/\(PercentEncoding.component(name))/enable")
        client.output.show(answer) { answer in
            if answer["enabled"]?.bool == false {
                return "\(name) stays disabled: its document says enabled: false; change it there\n"
            }
            let state = RuleStateText.of(answer)
            return "\(name) is enabled" + (state == "runs" ? "\n" : ", and \(state)\n")
        }
    }
}
