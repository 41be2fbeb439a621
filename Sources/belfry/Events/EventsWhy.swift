import ArgumentParser
import BelfryCore

struct EventsWhy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Say what happened to an event, and which clause of which rule decided it.",
        discussion: """
            EXAMPLE
              belfry events why evt_01h455vb4pex5vsknk084sn02q
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The event's id.") var id: String

    func run() async throws {
        let answer = try await client.client().get("/v1/events/\(PercentEncoding.component(id))/why")
        client.output.show(answer, table)
    }

    private func table(_ answer: JSONValue) -> String {
        var text = "\(answer.cell("event")): \(Terminal.bold(answer.cell("status")))"
        text +=
            ", by version \(answer.cell("ruleset_version")) of the rule set, verified by \(answer.cell("verified_by"))\n"
        if answer["rules_changed"]?.bool == true { text += "the rules have changed since; what follows is today's\n" }
        for match in answer["matches"]?.array ?? [] {
            let run = match["run"]?.string.map { " \($0)" } ?? ""
            let detail = match["detail"]?.cell ?? "-"
            text += "\(Terminal.green("✓")) \(match.cell("rule")): \(match.cell("outcome"))\(run)"
            text += (detail == "-" ? "" : " (\(detail))") + "\n"
        }
        for rule in answer["rules"]?.array ?? [] where rule["matched"]?.bool == false {
            text += "\(Terminal.red("✗")) \(rule.cell("rule")): no match, because\n"
            text += Explanation.text(rule["explanation"] ?? .null, failuresOnly: true)
        }
        return text
    }
}
