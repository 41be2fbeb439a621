import ArgumentParser
import BelfryCore

struct RunsRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Make a new run of what an ended one was about.",
        discussion: """
            It begins at the first step that has neither succeeded nor was skipped, or at --from; steps of earlier \
            stages keep their outputs, but for questions: those are asked again. It follows the rule and the agents as \
            they were for the run, with --latest as they are now. Ends with 1 if it can't be made, and says why.

            EXAMPLE
              belfry runs retry run_01h455vb4pex5vsknk084sn02q --watch
              belfry runs retry run_01h455vb4pex5vsknk084sn02q --from diagnose --latest
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The run's id.") var id: String
    @Option(help: ArgumentHelp("The step to begin at.", valueName: "step")) var from: String?
    @Flag(help: "Follow the rule and its agents as they are now.") var latest = false
    @Flag(help: "Show the new run's text as it comes.") var watch = false

    func run() async throws {
        var body: JSONObject = [:]
        if let from { body["from"] = .string(from) }
        if latest { body["latest"] = true }
        let hub = try client.client()
        let answer = try await hub.post("/v1/runs/\(PercentEncoding.component(id))/retry", .object(body))
        try await CommandText.show(answer, as: client.output, watching: watch ? hub : nil)
    }
}
