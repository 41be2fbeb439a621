import ArgumentParser
import BelfryCore
import Foundation

struct RulesDiff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what changed between two versions of a rule, or what a file would change.",
        discussion: """
            Without versions the last change is shown, with one what has changed since. A file or folder is held \
            against what is there, without applying it.

            EXAMPLE
              belfry rules diff github-issue-triage
              belfry rules diff github-issue-triage 3 5
              belfry rules diff ./triage.yaml
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "A rule's name, or a file or folder of documents.") var rule: String
    @Argument(help: "The older version.") var from: Int64?
    @Argument(help: "The newer version; default: the last.") var to: Int64?

    func run() async throws {
        let isFile = try DocumentFiles.mean(rule)
        let answer = isFile ? try await plan() : try await versions()
        client.output.show(answer) { answer in
            let texts = isFile ? (answer["changes"]?.array ?? []).map { $0["diff"]?.string } : [answer["diff"]?.string]
            let diff = texts.compactMap { $0 }.map(DiffText.of).joined()
            return diff.isEmpty ? "no difference\n" : diff
        }
    }

    private func versions() async throws -> JSONValue {
        let query = [("from", from.map(String.init)), ("to", to.map(String.init))]
        return try await client.client().get("/v1/rules/\(PercentEncoding.component(rule))/diff", query)
    }

    /// What an apply would do. It adopts, because whose the documents are is not asked here.
    private func plan() async throws -> JSONValue {
        guard from == nil else { throw Failure(.usage, "\(rule) is a file; versions are of a rule by name") }
        let body: JSONValue = [
            "files": try DocumentFiles.json([rule]), "dry_run": true, "adopt": true, "diff": true,
        ]
        return try await client.client().post("/v1/documents", body)
    }
}
