import ArgumentParser
import BelfryCore

struct RunsStart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start a run of a rule by hand, with an event of one's own.",
        discussion: """
            The event is stored, of the source `manual`, and taken as a match of the rule, whatever its pattern says; \
            the rule's limits, groups and pauses hold. --event is a JSON file that holds an event as `belfry events \
            show` prints one or a CloudEvent ({"type": …, "subject": …, "data": …}), - for stdin, or the id of a stored \
            event. Ends with 1 if nothing starts.

            EXAMPLE
              belfry runs start hot-pump --event ./reading.json --watch
              belfry runs start hot-pump --event evt_01h455vb4pex5vsknk084sn02q
              echo '{"data":{"sensor":"pump-7","celsius":97}}' | belfry runs start hot-pump --event -
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The rule's name.") var rule: String
    @Option(help: ArgumentHelp("The event: a JSON file, - for stdin, or a stored event's id.", valueName: "event"))
    var event: String?
    @Flag(help: "Show the run's text as it comes.") var watch = false

    func run() async throws {
        let hub = try client.client()
        var body: JSONObject = [:]
        if let event {
            let value = try RulesTest.eventValue(event)
            body["event"] =
                if let id = value.string { try await hub.get("/v1/events/\(PercentEncoding.component(id))") } else {
                    value
                }
        }
        let answer = try await hub.post("/v1/rules/\(PercentEncoding.component(rule))/runs", .object(body))
        try await CommandText.show(answer, as: client.output, watching: watch ? hub : nil)
    }
}
