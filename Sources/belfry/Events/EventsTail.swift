import ArgumentParser
import BelfryCore

struct EventsTail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Show events as they come, until Ctrl-C.",
        discussion: """
            EXAMPLE
              belfry events tail --source github
            """
    )

    @OptionGroup var client: ClientOptions
    @Option(help: "Only of these sources; all without it.") var source: [String] = []
    @Option(help: "Begin behind this position of the log; 0 is everything kept.") var after: Int64?

    func run() async throws {
        let client = try self.client.client()
        let topics = (source.isEmpty ? ["*"] : source).map { ("topic", Optional("source/\($0)")) }
        let stream = EventStream(
            client: client, path: "/v1/stream", query: topics + [("after", after.map(String.init))])
        try await stream.follow { frame in
            if frame["type"]?.string == "EVENT" { show(frame) }
            return .goOn
        }
    }

    private func show(_ frame: JSONValue) {
        switch client.output {
        case .json: Terminal.write(frame.text + "\n")
        case .table:
            let data = frame["data"] ?? .null
            let cells = [
                frame.timeCell("time"), frame.cell("source").padded(to: 12), data.cell("status").padded(to: 9),
                data.cell("event"), data.cell("type"), data.cell("subject"), data.cell("runs"),
            ]
            Terminal.write(Terminal.harmless(cells.joined(separator: "  ")).replacing("\n", with: " ") + "\n")
        }
    }
}
