import ArgumentParser
import BelfryCore

struct RulesObserve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "observe",
        abstract: "Let a rule only record its matches, as mode: observe in its document does.",
        discussion: """
            What it would have started is seen in belfry events why. The switch lasts until --off, also after a restart.

            EXAMPLE
              belfry rules observe github-issue-triage
              belfry rules observe github-issue-triage --off
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The rule.") var name: String
    @Flag(help: "Let it start runs again.") var off = false

    func run() async throws {
        let path = "/v1/rules/\(PercentEncoding.component(name))/observe"
        let answer = try await client.client().post(path, ["on": .bool(!off)])
        client.output.show(answer) { answer in
            let documentObserves = answer["document"]?["mode"]?.string == "observe"
            return off && documentObserves
                ? "\(name) still observes: its document says mode: observe; change it there\n"
                : "\(name) \(RuleStateText.of(answer))\n"
        }
    }
}
