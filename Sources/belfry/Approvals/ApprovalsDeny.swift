import ArgumentParser
import BelfryCore

struct ApprovalsDeny: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deny",
        abstract: "Say no to a question: its run ends, unless the rule goes on without.",
        discussion: """
            EXAMPLE
              belfry approvals deny apr_01h455vb4pex5vsknk084sn02q --reason "not during the match"
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The question's id.") var id: String
    @Option(help: "Why; everybody who sees the run reads it.") var reason: String?

    func run() async throws {
        var body: JSONObject = [:]
        if let reason { body["reason"] = .string(reason) }
        let answer = try await client.client().post(
            "/v1/approvals/\(PercentEncoding.component(id))/deny", .object(body))
        try CommandText.show(answer, as: client.output)
    }
}
