import ArgumentParser
import BelfryCore

struct RunsStop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop a run. When this ends, its transfer or process is gone, or it says that it may not be.",
        discussion: """
            EXAMPLE
              belfry runs stop run_01h455vb4pex5vsknk084sn02q
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The run's id.") var id: String

    func run() async throws {
        let answer = try await client.client().post("/v1/runs/\(PercentEncoding.component(id))/stop")
        try CommandText.show(answer, as: client.output)
    }
}
