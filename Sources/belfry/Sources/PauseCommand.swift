import ArgumentParser
import BelfryCore

/// `belfry pause`
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Pause everything: events are stored, nothing starts.",
        discussion: """
            Events have the status paused then, and belfry events replay starts them later. What is queued waits; runs \
            at work go on, and belfry runs stop --all ends them. One source: belfry sources pause NAME; one rule: belfry \
            rules disable NAME, or for a while belfry rules mute NAME.

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
