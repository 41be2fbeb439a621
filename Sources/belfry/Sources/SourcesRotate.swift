import ArgumentParser
import BelfryCore

struct SourcesRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Give a source a new secret; the old one works on for a while.",
        discussion: """
            Change the sender within that time. Deliveries signed with either are taken, and the audit says with which.

            EXAMPLE
              belfry sources rotate github --keep 24h
              belfry sources rotate billing --secret-file - < stripe.secret
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The source.") var name: String
    @Option(help: ArgumentHelp("File that holds the sender's new secret (- for stdin).", valueName: "file"))
    var secretFile: String?
    @Option(help: ArgumentHelp("How long the old secret works on; 0s ends it now.", valueName: "duration"))
    var keep: String = "24h"

    func validate() throws {
        guard Duration(shorthand: keep) != nil else {
            throw ValidationError("--keep must be a duration with its unit, such as 0s, 30m or 24h")
        }
    }

    func run() async throws {
        var body: JSONObject = ["keep": .string(keep)]
        if let secretFile { body["secret"] = .string(try SecretInput.read(secretFile)) }
        let path = "/v1/sources/\(PercentEncoding.component(name))/rotate"
        let answer = try await client.client().post(path, .object(body))
        client.output.show(answer) { answer in
            var lines = ["the secret of \(name) is now", "  \(answer["secret"]?.cell("value") ?? "-")"]
            for old in answer["secrets"]?.array ?? [] where old["ends"]?.string != nil {
                lines.append("the one before (\(old.cell("name"))) still works, until \(old.timeCell("ends"))")
            }
            let setUp = answer["set_up"]?.string.map { "\n\($0)\n" } ?? ""
            return Terminal.harmless(lines.joined(separator: "\n") + "\n" + setUp)
        }
    }
}
