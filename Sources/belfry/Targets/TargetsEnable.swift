import ArgumentParser
import BelfryCore

struct TargetsEnable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Let a target that was gone get messages again.",
        discussion: """
            EXAMPLE
              belfry targets enable ops-slack
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The target.") var name: String

    func run() async throws {
        let answer = try await client.client().post("/v1/targets/\(PercentEncoding.component(name))/enable")
        client.output.show(answer) { _ in "\(name) gets messages again\n" }
    }
}
