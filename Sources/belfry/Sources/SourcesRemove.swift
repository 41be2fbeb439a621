import ArgumentParser
import BelfryCore

struct SourcesRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove a source and its secret; its sender gets 404. What it brought stays.",
        discussion: """
            EXAMPLE
              belfry sources rm billing
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The source.") var name: String

    func run() async throws {
        let path = "/v1/sources/\(PercentEncoding.component(name))"
        let answer = try await client.client().call("DELETE", path).body
        client.output.show(answer) { answer in "\(name) is removed\n" + Self.rules(answer["rules"]?.array ?? []) }
    }

    /// What the rules that ask for the source have to do with it now.
    private static func rules(_ rules: [JSONValue]) -> String {
        if rules.isEmpty { return "" }
        let names = rules.prefix(20).map(\.cell).joined(separator: ", ") + (rules.count > 20 ? ", …" : "")
        return "\(rules.count == 1 ? "1 rule asks" : "\(rules.count) rules ask") for it still, and "
            + "will match only what is published in its name: \(names)\n"
    }
}
