import ArgumentParser
import BelfryCore

struct TokensRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "End a token at once.",
        discussion: """
            EXAMPLE
              belfry tokens revoke tok_01h455vb4pex5vsknk084sn02q
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The token's id (belfry tokens list).") var id: String

    func run() async throws {
        let answer = try await client.client().call("DELETE", "/v1/tokens/\(PercentEncoding.component(id))").body
        client.output.show(answer) { _ in "\(id) is revoked\n" }
    }
}
