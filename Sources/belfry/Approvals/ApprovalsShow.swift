import ArgumentParser
import BelfryCore

struct ApprovalsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one question: what is asked, until when, what it stands before, how it was answered.",
        discussion: """
            EXAMPLE
              belfry approvals show apr_01h455vb4pex5vsknk084sn02q
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The question's id.") var id: String

    func run() async throws {
        let answer = try await client.client().get("/v1/approvals/\(PercentEncoding.component(id))")
        client.output.show(answer, ApprovalText.text)
    }
}
