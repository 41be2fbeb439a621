import ArgumentParser
import BelfryCore

struct RulesApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Put documents (sources, agents, rules) into the hub: all of them, or none with the reasons.",
        discussion: """
            Every mistake is listed as file:line: path: message, and nothing changes unless all is right.

            EXAMPLE
              belfry rules apply ./Rules --dry-run
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "Files, and folders whose .yaml, .yml and .json files are read.") var paths: [String]
    @Flag(help: "Only say what would change.") var dryRun = false

    func run() async throws {
        let documents = try DocumentFiles.read(paths).map { path, text -> JSONValue in
            ["path": .string(path), "text": .string(text)]
        }
        let body: JSONValue = ["files": .array(documents), "dry_run": .bool(dryRun)]
        let answer = try await client.client().post("/v1/documents", body)
        client.output.show(answer, table)
    }

    private func table(_ answer: JSONValue) -> String {
        let rows = [("created", "+"), ("changed", "~"), ("removed", "-")].flatMap { key, sign in
            (answer[key]?.array ?? []).map { "\(sign) \($0.cell)\n" }
        }
        let unchanged = answer["unchanged"]?.number?.text ?? "0"
        return rows.joined() + "\(dryRun ? "would apply" : "applied"); \(unchanged) unchanged\n"
    }
}
