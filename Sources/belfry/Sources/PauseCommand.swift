import ArgumentParser
import BelfryCore

/// `belfry pause`
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Pause everything: events are stored, nothing starts.",
        discussion: """
            EXAMPLE
              belfry pause
            """
    )

    @OptionGroup var client: ClientOptions

    func run() async throws {
        let answer = try await client.client().post("/v1/pause")
        client.output.show(answer) { _ in "everything is paused; belfry resume ends it\n" }
    }
}
