import ArgumentParser
import BelfryCore

struct TokensList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show all tokens, never their text.",
        discussion: """
            EXAMPLE
              belfry tokens list
            """
    )

    @OptionGroup var client: ClientOptions

    func run() async throws {
        let answer = try await client.client().get("/v1/tokens")
        client.output.show(answer) { answer in
            Table(["name", "role", "scopes", "created", "expires", "revoked", "id"], answer.items) { token in
                ["name", "role", "scopes"].map(token.cell) + ["created", "expires", "revoked"].map(token.timeCell)
                    + [token.cell("id")]
            }.text
        }
    }
}
