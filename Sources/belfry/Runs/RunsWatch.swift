import ArgumentParser
import BelfryCore

struct RunsWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show a run's text as it comes, from its beginning to its end. Ends with 1 unless it succeeds.",
        discussion: """
            Without a run it is the newest one that has not ended, or else the next one that begins. --all shows all \
            that are at work from now on, a line at a time behind the rule's name and the end of the run's id, until \
            Ctrl-C.

            On a terminal each step has a heading, and what becomes of the run is said; in a pipe there is the text \
            alone, and what the run asks goes to stderr; --output json gives the frames, one per line. A lost \
            connection is resumed behind the last frame. What an attempt wrote before it was cut stays in the pipe, \
            and stderr says that the next one begins anew.

            EXAMPLE
              belfry runs watch run_01h455vb4pex5vsknk084sn02q
              belfry runs watch > answer.txt && mail -s done me@example.com < answer.txt
              belfry runs watch --all
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The run's id.") var id: String?
    @Flag(help: "All runs.") var all = false

    func validate() throws {
        guard id == nil || !all else { throw ValidationError("a run or --all, not both") }
    }

    func run() async throws {
        let hub = try client.client()
        if all { return try await AllRunsWatch(client: hub, output: client.output).follow() }
        let watch = RunWatch(client: hub, output: client.output)
        let run = if let id { id } else { try await watch.newest() }
        try await watch.follow([run])
    }
}
