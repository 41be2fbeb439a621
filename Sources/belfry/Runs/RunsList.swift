public import ArgumentParser
public import BelfryCore

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
    var state: RunState?
    @Option(help: "Only of this rule.") var rule: String?

    func run() async throws {
        let answer = try await client.client().get(
            "/v1/runs", list.query + [("state", state?.rawValue), ("rule", rule)])
        client.output.show(answer) { answer in
            Table(["created", "rule", "state", "reason", "event", "id"], answer.items) { run in
                [run.timeCell("created"), run.cell("rule"), run.cell("state"), Self.reason(run)]
                    + ["event", "id"].map(run.cell)
            }.text + Continuation.hint(answer)
        }
    }

    /// What a run failed of says more than that it failed of an error: the first line of the message.
    static func reason(_ run: JSONValue) -> String {
        let message = run["error"]?["message"]?.string?.split(whereSeparator: \.isNewline).first
        return message.map(String.init) ?? run.cell("reason")
    }
}

extension RunState: ExpressibleByArgument {}
