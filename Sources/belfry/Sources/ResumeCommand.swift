import ArgumentParser
import BelfryCore

/// `belfry resume`
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "End what `belfry pause` began.",
        discussion: """
            EXAMPLE
              belfry resume
            """
    )

    @OptionGroup var client: ClientOptions

    func run() async throws {
        let answer = try await client.client().post("/v1/resume")
        client.output.show(answer) { _ in "rules start runs again\n" }
    }
}
