import ArgumentParser
import BelfryCore

struct AuditVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Recompute the whole chain. Ends with 1 and names the first broken entry if there is one.",
        discussion: """
            EXAMPLE
              belfry audit verify
            """
    )

    @OptionGroup var client: ClientOptions

    func run() async throws {
        let answer = try await client.client().get("/v1/audit/verify")
        let isIntact = answer["ok"]?.bool ?? false
        client.output.show(answer) { answer in
            isIntact
                ? "\(Terminal.green("intact")): \(answer.cell("entries")) entries, head \(answer.cell("head"))\n"
                : "\(Terminal.red("broken")) at entry \(answer.cell("broken_at")): it or the one before it was changed\n"
        }
        if !isIntact { throw ExitCode(Failure.Code.negative.rawValue) }
    }
}
