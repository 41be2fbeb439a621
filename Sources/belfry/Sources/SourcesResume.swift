import ArgumentParser
import BelfryCore

struct SourcesResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a source start runs again.",
        discussion: """
            EXAMPLE
              belfry sources resume github
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The source.") var name: String

    func run() async throws {
        let answer = try await client.client().post("/v1/sources/\(PercentEncoding.component(name))/resume")
        client.output.show(answer) { _ in "\(name) is no longer paused\n" }
    }
}
