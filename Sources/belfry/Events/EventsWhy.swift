import ArgumentParser
import BelfryCore

struct EventsWhy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Say what happened to an event, and which clause of which rule decided it.",
        discussion: """
            EXAMPLE
              belfry events why evt_01h455vb4pex5vsknk084sn02q
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The event's id.") var id: String
    @Flag(help: "Also show the rules that are for other sources.") var all = false

    func run() async throws {
        let answer = try await client.client().get("/v1/events/\(PercentEncoding.component(id))/why")
        client.output.show(answer) { WhyText.of($0, showsAll: all) }
    }
}
