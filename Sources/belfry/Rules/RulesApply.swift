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
    @Flag(help: "Take over documents that come from the rules folder, instead of refusing them.") var adopt = false

    func run() async throws {
        let documents = try DocumentFiles.read(paths).map { path, text -> JSONValue in
            ["path": .string(path), "text": .string(text)]
        }
        let body: JSONValue = ["files": .array(documents), "dry_run": .bool(dryRun), "adopt": .bool(adopt)]
        let answer = try await client.client().post("/v1/documents", body)
        client.output.show(answer) { Self.table($0, isDryRun: dryRun) }
        for warning in answer["warnings"]?.array ?? [] {
            Terminal.writeError("warning: \(Terminal.harmless(warning.cell))\n")
        }
    }

    static func table(_ answer: JSONValue, isDryRun: Bool) -> String {
        let signs = [("created", "+"), ("changed", "~"), ("removed", "-")]
        let names = signs.map { key, sign in (key, sign, answer[key]?.array ?? []) }
        let rows = names.flatMap { _, sign, names in names.map { "\(sign) \($0.cell)\n" } }
        let unchanged = answer["unchanged"]?.number?.int64 ?? 0
        guard !rows.isEmpty || unchanged > 0 else { return "nothing in it\n" }
        // Only a folder that is the whole truth removes anything.
        let counts = names.filter { key, _, names in key != "removed" || !names.isEmpty }
            .map { key, _, names in "\(names.count) \(key)" }
        let all = (counts + ["\(unchanged) unchanged"]).joined(separator: ", ")
        return rows.joined() + "\(isDryRun ? "would be applied" : "applied"): \(all)\n"
    }
}
