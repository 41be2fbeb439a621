import ArgumentParser
import BelfryCore

struct ApprovalsList: AsyncParsableCommand {
    /// Which questions are listed.
    enum State: String, ExpressibleByArgument, CaseIterable {
        case open, decided, all
    }

    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the questions that wait for an answer, the newest first.",
        discussion: """
            EXAMPLE
              belfry approvals list
              belfry approvals list --state all --run run_01h455vb4pex5vsknk084sn02q
            """
    )

    @OptionGroup var client: ClientOptions
    @OptionGroup var list: ListOptions
    @Option(help: "open, decided or all.") var state: State = .open
    @Option(name: .customLong("run"), help: "Only of this run.") var runID: String?

    func run() async throws {
        let answer = try await client.client().get(
            "/v1/approvals", list.query + [("state", state == .all ? nil : state.rawValue), ("run", runID)])
        client.output.show(answer) { answer in
            Table(["requested", "rule", "step", "state", "message", "id"], answer.items) { approval in
                [approval.timeCell("requested")] + ["rule", "step"].map(approval.cell)
                    + [ApprovalText.state(approval), approval.cell("message"), approval.cell("id")]
            }.text + Continuation.hint(answer)
        }
    }
}
