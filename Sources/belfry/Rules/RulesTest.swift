import ArgumentParser
import BelfryCore
import Foundation

struct RulesTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Ask whether a rule matches an event, without starting anything. Ends with 1 if it does not.",
        discussion: """
            EXAMPLE
              belfry rules test github-issue-triage --event evt_01h455vb4pex5vsknk084sn02q
              belfry rules test ./my-rule.yaml --event ./event.json
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "A rule's name, or a file that holds one.") var rule: String
    @Option(help: ArgumentHelp("A stored event's id, or a JSON file that holds an event.", valueName: "event"))
    var event: String

    func run() async throws {
        let isFile = FileManager.default.fileExists(atPath: rule)
        let asked = JSONValue.string(isFile ? try LocalFile.text(at: rule) : rule)
        let answer = try await client.client().post(
            "/v1/rules/test",
            ["rule": asked, "event": try eventValue()]
        )
        let matched = answer["matched"]?.bool ?? false
        client.output.show(answer) { answer in
            let verdict = matched ? Terminal.green("matched") : Terminal.yellow("not matched")
            return verdict + "\n" + Explanation.text(answer["explanation"] ?? .null, failuresOnly: !matched)
        }
        if !matched { throw ExitCode(Failure.Code.negative.rawValue) }
    }

    private func eventValue() throws -> JSONValue {
        if EventID(event) != nil { return .string(event) }
        let bytes = try LocalFile.bytes(at: event)
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw Failure(.usage, "\(event): \(error)")
        }
    }
}
