import ArgumentParser
import BelfryCore

struct RulesShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one rule as it was written, and what it does today.",
        discussion: """
            EXAMPLE
              belfry rules show github-issue-triage
              belfry rules show github-issue-triage --version 3 > triage.yaml
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The rule.") var name: String

    @Option(help: "As it was then (belfry rules versions).") var version: Int64?

    func run() async throws {
        let path = "/v1/rules/\(PercentEncoding.component(name))"
        guard let version else {
            let answer = try await client.client().get(path)
            client.output.show(answer) { StoredText.of($0, facts: ["owner"], notes: Self.notes($0)) }
            return
        }
        let answer = try await client.client().get(path + "/versions/\(version)")
        client.output.show(answer) { answer in
            let note = "\(answer.cell("change")) \(answer.timeCell("created")) by \(answer.cell("by"))"
            return StoredText.of(answer, facts: ["owner"], notes: [note])
        }
    }

    /// What it does, who changed it last, and where its history is.
    static func notes(_ rule: JSONValue) -> [String] {
        let isFirst = rule["version"]?.number?.int64 == 1
        let changed = "changed \(rule.timeCell("updated")) by \(rule.cell("updated_by"))"
        return [
            RuleStateText.of(rule),
            isFirst ? changed : changed + "; belfry rules versions \(rule.cell("name")) shows all versions",
        ]
    }
}
