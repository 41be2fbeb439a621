import ArgumentParser
import BelfryCore

struct TokensSignIn: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-in",
        abstract: "Print a link that signs a browser in.",
        discussion: """
            The link works once, for 15 minutes, and gives the browser the role of the token that asks for it, for 30 \
            days. belfry tokens list shows the session, belfry tokens revoke ends it.

            EXAMPLE
              belfry tokens sign-in
            """
    )

    @OptionGroup var client: ClientOptions

    func run() async throws {
        let answer = try await client.client().post("/v1/sign-in-links", [:])
        client.output.show(answer) { $0.cell("url") + "\n" }
    }
}
