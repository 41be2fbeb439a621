import ArgumentParser
import BelfryCore

struct SourcesShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a source: its URL, its secret (to admins) and how to set up the sender.",
        discussion: """
            EXAMPLE
              belfry sources show github
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The source.") var name: String

    func run() async throws {
        let answer = try await client.client().get("/v1/sources/\(PercentEncoding.component(name))")
        client.output.show(answer) { source in
            var lines = ["name", "preset", "url", "status", "paused", "owner"].map { key in
                key.padded(to: 8) + "  " + source.cell(key)
            }
            if let problem = source["problem"]?.string { lines.append("problem".padded(to: 8) + "  " + problem) }
            lines.append("events".padded(to: 8) + "  last " + source.timeCell("last_event"))
            if !["0", "-"].contains(source.cell("refusals")) {
                lines.append("refused".padded(to: 8) + "  \(source.cell("refusals")) in the last hour")
            }
            for secret in source["secrets"]?.array ?? [] {
                let end = secret["ends"] == nil ? "" : ", ends \(secret.timeCell("ends"))"
                lines.append("secret".padded(to: 8) + "  \(secret.cell("value"))  (\(secret.cell("name"))\(end))")
            }
            let setUp = source["set_up"]?.string.map { "\n\($0)\n" } ?? ""
            return Terminal.harmless(lines.joined(separator: "\n") + "\n" + setUp)
        }
    }
}

extension String {
    /// The text with spaces behind it, at least `width` characters.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
