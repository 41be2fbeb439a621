import ArgumentParser
import BelfryCore

struct RunsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the latest runs.",
        discussion: """
            EXAMPLE
              belfry runs list --state running
            """
    )

    @OptionGroup var client: ClientOptions
    @OptionGroup var list: ListOptions
    @Option(help: "Only queued, running, waiting, stopping, succeeded, failed, expired or stopped ones.")
    var state: String?
    @Option(help: "Only of this rule.") var rule: String?

    func run() async throws {
        let answer = try await client.client().get("/v1/runs", list.query + [("state", state), ("rule", rule)])
        client.output.show(answer) { answer in
            Table(["created", "id", "rule", "state", "reason", "event"], answer.items) { run in
                [run.timeCell("created")] + ["id", "rule", "state", "reason", "event"].map(run.cell)
            }.text + Continuation.hint(answer)
        }
    }
}
