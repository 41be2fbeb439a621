import ArgumentParser
import BelfryCore

struct RunsSkip: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "skip",
        abstract: "Skip a step of a run: one that has not begun, works (it is cut) or waits.",
        discussion: """
            Its output is --text or --json, else the rule's default for the step, else nothing. To skip a question \
            decides nothing: the run ends as if somebody had denied, unless the rule says otherwise. Ends with 1 if \
            the run refuses, and says why.

            EXAMPLE
              belfry runs skip run_01h455vb4pex5vsknk084sn02q diagnose
              belfry runs skip run_01h455vb4pex5vsknk084sn02q diagnose --text "the bearing is worn"
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The run's id.") var id: String
    @Argument(help: "The step's name.") var step: String
    @Option(help: "The step's output in place of its own: a text.") var text: String?
    @Option(help: "The same as JSON.") var json: String?

    func validate() throws {
        guard text == nil || json == nil else { throw ValidationError("--text or --json, not both") }
    }

    func run() async throws {
        var body: JSONObject = ["step": .string(step)]
        if let text { body["output"] = .string(text) }
        if let json { body["output"] = try JSONArgument.value(json, of: "--json") }
        let answer = try await client.client().post(
            "/v1/runs/\(PercentEncoding.component(id))/skip", .object(body))
        try CommandText.show(answer, as: client.output)
    }
}
