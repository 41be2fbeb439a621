public import ArgumentParser
public import BelfryCore

struct TokensCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a token. It is shown this once and kept only as a hash.",
        discussion: """
            viewer reads; operator also commands runs and pauses; admin also changes rules, sources, agents and \
            tokens; publisher only publishes events and custom frames, to what its scopes name.

            A scope is a topic: source/NAME, custom/NAME, custom/*, run/*, runs, alerts and so on. A token with scopes \
            reaches streams of these topics and what it may publish, nothing else.

            EXAMPLE
              belfry tokens create dashboard --role viewer
              belfry tokens create ci --role publisher --scope custom/build --expires 30d
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The name that the audit shows.") var name: String
    @Option(help: "viewer, operator, admin or publisher.") var role: Role = .viewer
    @Option(help: ArgumentHelp("A topic the token is held to; may be repeated.", valueName: "topic"))
    var scope: [String] = []
    @Option(help: ArgumentHelp("When it ends: 30d, 12h, or a time. Never, without it.", valueName: "when"))
    var expires: String?

    func run() async throws {
        var wish: JSONObject = [
            "name": .string(name), "role": .string(role.rawValue), "scopes": .array(scope.map(JSONValue.string)),
        ]
        wish["expires"] = expires.map(JSONValue.string)
        let answer = try await client.client().post("/v1/tokens", .object(wish))
        client.output.show(answer) { $0.cell("token") + "\n" }
        if client.output == .table { Terminal.writeError("\(answer.cell("id")), \(role.rawValue): shown only now\n") }
    }
}

extension Role: ExpressibleByArgument {}
