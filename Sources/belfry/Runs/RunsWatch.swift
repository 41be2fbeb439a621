import ArgumentParser
import BelfryCore

struct RunsWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show a run's text as it comes, from its beginning to its end. Ends with 1 unless it succeeds.",
        discussion: """
            On a terminal each step has a heading; in a pipe there is the text alone; --output json gives the frames, \
            one per line. A lost connection is resumed behind the last frame.

            EXAMPLE
              belfry runs watch run_01h455vb4pex5vsknk084sn02q
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The run's id.") var id: String

    func run() async throws {
        try await RunWatch(client: client.client(), output: client.output).follow([id])
    }
}
