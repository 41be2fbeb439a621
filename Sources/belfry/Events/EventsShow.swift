import ArgumentParser
import BelfryCore

struct EventsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one event with its payload, as JSON.",
        discussion: """
            EXAMPLE
              belfry events show evt_01h455vb4pex5vsknk084sn02q | jq .data
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The event's id.") var id: String

    func run() async throws {
        let answer = try await client.client().get("/v1/events/\(PercentEncoding.component(id))")
        Terminal.write(answer.text + "\n")
    }
}
