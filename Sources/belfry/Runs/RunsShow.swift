import ArgumentParser
import BelfryCore

struct RunsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one run with its steps and their outputs.",
        discussion: """
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
        for step in run["steps"]?.array ?? [] {
            lines.append("")
            let reason = step["reason"]?.string.map { ": \($0)" } ?? ""
            lines.append(
                Terminal.bold("step \(step.cell("name")) (\(step.cell("kind")), \(step.cell("state"))\(reason))"))
            if let error = step["error"]?["message"]?.string { lines.append(Terminal.red(Terminal.harmless(error))) }
            for path in step["missing"]?.array ?? [] {
                lines.append(Terminal.yellow("missing: {{\(Terminal.harmless(path.cell))}} led to nothing"))
            }
            if let output = step["output"], !output.isNull { lines.append(Terminal.harmless(output.cell)) }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
