import ArgumentParser
import BelfryCore

struct SourcesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show all sources with their URLs.",
        discussion: """
            EXAMPLE
              belfry sources list
            """
    )

    @OptionGroup var client: ClientOptions

    func run() async throws {
        let answer = try await client.client().get("/v1/sources")
        client.output.show(answer) { answer in
            Table(["name", "preset", "status", "paused", "owner", "url"], answer.items) { source in
                ["name", "preset", "status", "paused", "owner", "url"].map(source.cell)
            }.text
        }
    }
}
