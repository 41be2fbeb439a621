public import ArgumentParser
public import BelfryCore

struct TokensCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a token. It is shown this once and kept only as a hash.",
        discussion: """
            viewer reads; operator also commands runs and pauses; admin also changes rules, sources, agents and \
            tokens; publisher only publishes events and custom frames.

            EXAMPLE
              belfry tokens create dashboard --role viewer
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The name that the audit shows.") var name: String
    @Option(help: "viewer, operator, admin or publisher.") var role: Role = .viewer

    func run() async throws {
        let answer = try await client.client().post(
            "/v1/tokens",
            ["name": .string(name), "role": .string(role.rawValue)]
        )
        client.output.show(answer) { $0.cell("token") + "\n" }
        if client.output == .table { Terminal.writeError("\(answer.cell("id")), \(role.rawValue): shown only now\n") }
    }
}

extension Role: ExpressibleByArgument {}
