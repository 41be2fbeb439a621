import ArgumentParser
import BelfryCore

struct RunsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one run: its steps in their order, how long each took, what it used, what it waits for.",
        discussion: """
            A step that waits for a decision shows the question and the commands that answer it.

            EXAMPLE
              belfry runs show run_01h455vb4pex5vsknk084sn02q
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The run's id.") var id: String

    func run() async throws {
        let answer = try await client.client().get("/v1/runs/\(PercentEncoding.component(id))")
        client.output.show(answer, table)
    }

    private func table(_ run: JSONValue) -> String {
        var lines = ["id", "rule", "state", "reason", "attempt", "event"].map { $0.padded(to: 8) + "  " + run.cell($0) }
        lines += ["created", "started", "ended"].map { $0.padded(to: 8) + "  " + run.timeCell($0) }
        if let group = run["group"], group.object != nil {
            lines.append("group".padded(to: 8) + "  " + RunGroup.text(group))
        }
        if let error = run["error"]?["message"]?.string { lines.append("error".padded(to: 8) + "  " + error) }
        if let params = run["params"], params.object?.isEmpty == false {
            lines.append("params".padded(to: 8) + "  " + Terminal.harmless(params.text))
        }
        lines += RunTimeline(run: run, now: WallClock.system.now()).lines
        return lines.joined(separator: "\n") + "\n"
    }
}
