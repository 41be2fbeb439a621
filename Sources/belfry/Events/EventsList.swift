import ArgumentParser
import BelfryCore

struct EventsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the latest events.",
        discussion: """
            EXAMPLE
              belfry events list --source github --status filtered
            """
    )

    @OptionGroup var client: ClientOptions
    @OptionGroup var list: ListOptions
    @Option(help: "Only of this source.") var source: String?
    @Option(help: "Only of this type.") var type: String?
    @Option(help: "Only matched, filtered, paused or accepted ones.") var status: String?

    func run() async throws {
        let answer = try await client.client().get(
            "/v1/events",
            list.query + [("source", source), ("type", type), ("status", status)]
        )
        client.output.show(answer) { answer in
            Table(["received", "id", "source", "type", "subject", "status", "runs"], answer.items) { event in
                [event.timeCell("received")] + ["id", "source", "type", "subject", "status", "runs"].map(event.cell)
            }.text + Continuation.hint(answer)
        }
    }
}
