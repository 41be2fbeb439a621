import ArgumentParser
import BelfryCore

struct EventsWhy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Say what happened to an event, and which clause of which rule decided it.",
        discussion: """
            First what is recorded: every match and what became of it, replays too. Then today's rules, the nearest \
            \(Limits.whyRulesDefault), each with the clauses that failed and the values seen. --rule shows all clauses \
            of one rule, also as it was when the event came.

            EXAMPLE
              belfry events why evt_01h455vb4pex5vsknk084sn02q
              belfry events why evt_01h455vb4pex5vsknk084sn02q --rule hot-pump
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The event's id.") var id: String
    @Option(help: "All about this one rule.") var rule: String?
    @Flag(help: "Also show the rules that are for other sources, and up to \(Limits.whyRulesMax) in all.") var all =
        false

    func validate() throws {
        guard rule == nil || !all else { throw ValidationError("--rule is about one rule, --all about all") }
    }

    func run() async throws {
        let rules = all ? String(Limits.whyRulesMax) : nil
        let answer = try await client.client().get(
            "/v1/events/\(PercentEncoding.component(id))/why", [("rule", rule), ("rules", rules)])
        client.output.show(answer) { answer in
            rule.map { WhyText.of(answer, rule: $0) } ?? WhyText.of(answer, showsAll: all)
        }
    }
}
