import ArgumentParser
import BelfryCore
import Foundation

struct RulesTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Ask whether a rule matches an event, without starting anything. Ends with 1 if it does not.",
        discussion: """
            A file may also hold the rule's source and agents, but one rule only.

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
        var body: JSONObject = ["rule": .string(rule), "event": try Self.eventValue(event)]
        if FileManager.default.fileExists(atPath: rule) {
            body["rule"] = .string(try LocalFile.text(at: rule, bytesMax: Limits.documentBytesMax))
            // What is wrong with the text is then said as `pump.yaml:3: …`.
            body["path"] = .string(rule)
        }
        let answer = try await client.client().post("/v1/rules/test", .object(body))
        let matched = answer["matched"]?.bool ?? false
        client.output.show(answer) { answer in
            let verdict = matched ? Terminal.green("matched") : Terminal.yellow("not matched")
            return verdict + "\n" + Explanation.text(answer["explanation"] ?? .null, failuresOnly: !matched)
        }
        if !matched { throw ExitCode(Failure.Code.negative.rawValue) }
    }

    /// An id as it is, or the event in a file. A payload alone is refused: no pattern on `data` could match it.
    static func eventValue(_ event: String) throws -> JSONValue {
        if EventID(event) != nil { return .string(event) }
        let bytes = try LocalFile.bytes(at: event)
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw Failure(.usage, "\(event): \(error)")
        }
        guard value.object != nil else { throw Failure(.usage, "\(event) holds no JSON object") }
        guard value["source"] != nil || value["data"] != nil else {
            throw Failure(
                .usage,
                "\(event) has neither source nor data: this looks like a payload, not an event "
                    + "(belfry events show prints one)")
        }
        return value
    }
}
