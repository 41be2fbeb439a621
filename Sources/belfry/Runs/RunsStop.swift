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
        let result = answer.cell("result")
        client.output.show(answer) { answer in
            let reason = answer["reason"]?.string.map { ": \($0)" } ?? ""
            let latency = answer["latency_ms"]?.number.map { " after \($0.text) ms" } ?? ""
            return "\(result)\(reason)\(latency)\n"
        }
        if result != "applied" { throw ExitCode(Failure.Code.negative.rawValue) }
    }
}
