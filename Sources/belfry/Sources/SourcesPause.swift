import ArgumentParser
import BelfryCore

struct SourcesPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Keep storing a source's events, but start nothing.",
        discussion: """
            EXAMPLE
              belfry sources pause github
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The source.") var name: String

    func run() async throws {
        let answer = try await client.client().post("/v1/sources/\(PercentEncoding.component(name))/pause")
        client.output.show(answer) { _ in "\(name) is paused: events are stored, nothing starts\n" }
    }
}
