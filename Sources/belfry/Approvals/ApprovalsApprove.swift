import ArgumentParser
import BelfryCore

struct ApprovalsApprove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: "Say yes to a question: its run goes on.",
        discussion: """
            Ends with 1 if somebody was first, the question has expired, or the value is not what it asks for; the \
            answer says which.

            EXAMPLE
              belfry approvals approve apr_01h455vb4pex5vsknk084sn02q
              belfry approvals approve apr_01h455vb4pex5vsknk084sn02q --value '{"minutes": 30}'
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The question's id.") var id: String
    @Option(help: "What the question asks for beside yes, as JSON; belfry approvals show says what that is.")
    var value: String?

    func run() async throws {
        var body: JSONObject = [:]
        if let value { body["value"] = try JSONArgument.value(value, of: "--value") }
        let answer = try await client.client().post(
            "/v1/approvals/\(PercentEncoding.component(id))/approve", .object(body))
        try CommandText.show(answer, as: client.output)
    }
}
