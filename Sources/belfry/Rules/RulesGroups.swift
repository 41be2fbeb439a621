import ArgumentParser
import BelfryCore

struct RulesGroups: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups",
        abstract: "Show a rule's open groups: what they wait for, and their runs.",
        discussion: """
            EXAMPLE
              belfry rules groups overheating-pump
            """
    )

    @OptionGroup var client: ClientOptions
    @OptionGroup var list: ListOptions
    @Argument(help: "The rule's name.") var name: String

    func run() async throws {
        let answer = try await client.client().get(
            "/v1/rules/\(PercentEncoding.component(name))/groups", list.query)
        client.output.show(answer) { answer in
            Table(["group", "events", "first", "last", "due", "run"], answer.items) { group in
                [Terminal.harmless(group["by"]?.text ?? ""), group.cell("count")]
                    + ["first", "last", "due"].map(group.timeCell) + [group.cell("run")]
            }.text + Continuation.hint(answer)
        }
    }
}
