import ArgumentParser
import BelfryCore

struct EventsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the latest events.",
        discussion: """
            The status of an event: matched (it started a run), paused, filtered (no rule matched), or accepted: rules \
            matched, and none started a run of its own for it, as with limits, groups and observed rules. \
            `belfry events why` says which.

            EXAMPLE
              belfry events list --source github --status filtered
            """
    )

    @OptionGroup var client: ClientOptions
    @OptionGroup var list: ListOptions
    @Option(help: "Only of this source.") var source: String?
    @Option(help: "Only of this type.") var type: String?
    @Option(help: "Only matched, filtered, paused or accepted ones.") var status: Status?

    enum Status: String, ExpressibleByArgument, CaseIterable { case matched, filtered, paused, accepted }

    func run() async throws {
        let answer = try await client.client().get(
            "/v1/events",
            list.query + [("source", source), ("type", type), ("status", status?.rawValue)]
        )
        client.output.show(answer) { answer in
            Table(["received", "status", "source", "type", "subject", "runs", "id"], answer.items) { event in
                [event.timeCell("received")] + ["status", "source", "type", "subject"].map(event.cell)
                    + [Self.run(of: event), event.cell("id")]
            }.text + Continuation.hint(answer)
        }
    }

    /// The run it has started, else the one of a group that has counted it, in brackets.
    private static func run(of event: JSONValue) -> String {
        let grouped = (event["groups"]?.array ?? []).lazy.compactMap { $0["run"]?.string }.first
        guard event["runs"]?.array?.isEmpty != false, let grouped else { return event.firstCell("runs") }
        return "(\(grouped))"
    }
}
