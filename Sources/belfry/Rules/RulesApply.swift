import ArgumentParser
import BelfryCore

struct RulesApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Put documents (sources, agents, rules) into the hub: all of them, or none with the reasons.",
        discussion: """
            Every mistake is listed as file:line: path: message, and nothing changes unless all is right.

            What changes is printed as a plan: + created, ~ changed with the keys that differ, - removed.
            Nothing is removed without --prune.

            EXAMPLE
              belfry rules apply ./Rules --dry-run --diff
              belfry rules apply ./triage.yaml --if-version 4
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "Files, and folders whose .yaml, .yml and .json files are read.") var paths: [String]
    @Flag(help: "Only say what would change.") var dryRun = false
    @Flag(help: "Show each change as a diff.") var diff = false
    @Flag(help: "Take over documents that come from the rules folder, instead of refusing them.") var adopt = false
    @Flag(help: "Remove what was made through the API and is not in these files: rules, sources and agents.")
    var prune = false
    @Option(help: "Only if the one document of the file is at this version; 0: only if there is none yet.")
    var ifVersion: Int64?

    func run() async throws {
        var body: JSONObject = [
            "files": try DocumentFiles.json(paths), "dry_run": .bool(dryRun), "adopt": .bool(adopt),
            "prune": .bool(prune), "diff": .bool(diff),
        ]
        if let ifVersion { body["version"] = .int(ifVersion) }
        let answer = try await client.client().post("/v1/documents", .object(body))
        client.output.show(answer) { PlanText.of($0, isDryRun: dryRun) }
        for warning in answer["warnings"]?.array ?? [] {
            Terminal.writeError("warning: \(Terminal.harmless(warning.cell))\n")
        }
    }
}
