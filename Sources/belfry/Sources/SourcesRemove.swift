import ArgumentParser

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
        client.output.show(answer) { _ in "\(name) is removed\n" }
    }
}
