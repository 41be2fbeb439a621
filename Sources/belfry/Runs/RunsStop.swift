import ArgumentParser
import BelfryCore

struct RunsStop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract:
            "Stop a run, or all. When this ends, transfers and processes are gone, or it says that they may not be.",
        discussion: """
            --all stops every run that has not ended, queued ones too, many side by side; runs that begin meanwhile go \
            on (belfry pause first keeps any from beginning). At a terminal it asks before, unless --yes.

            EXAMPLE
              belfry runs stop run_01h455vb4pex5vsknk084sn02q
              belfry runs stop --all --rule hot-pump
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The run's id.") var id: String?
    @Flag(help: "All runs that have not ended.") var all = false
    @Option(help: "With --all: only those of this rule.") var rule: String?
    @Flag(help: "With --all: do not ask.") var yes = false

    func validate() throws {
        guard (id == nil) == all else { throw ValidationError("name one run, or all of them with --all") }
        guard all || (rule == nil && !yes) else { throw ValidationError("--rule and --yes go with --all") }
    }

    func run() async throws {
        let hub = try client.client()
        if let id {
            let answer = try await hub.post("/v1/runs/\(PercentEncoding.component(id))/stop")
            return try CommandText.show(answer, as: client.output)
        }
        guard try await isMeant(hub) else { throw Failure(.negative, "nothing was stopped") }
        var tally = StopTally()
        repeat {
            tally.add(try await hub.post("/v1/runs/stop", .object(rule.map { ["rule": .string($0)] } ?? [:])))
        } while tally.more
        client.output.show(tally.json) { _ in tally.text }
        if tally.unconfirmed > 0 { throw ExitCode(Failure.Code.negative.rawValue) }
    }

    /// Asks whoever sits at the terminal; nobody elsewhere.
    private func isMeant(_ hub: APIClient) async throws -> Bool {
        guard !yes, Terminal.canAsk else { return true }
        var count = 0
        for state in RunState.allCases where !state.isEnded {
            let page = try await hub.get(
                "/v1/runs", [("state", state.rawValue), ("rule", rule), ("limit", String(Limits.pageRowsMax))])
            count += page.items.count
            guard page["next"]?.string == nil else {
                return Terminal.ask("Stop more than \(count.counted("run"))?")
            }
        }
        return count == 0 || Terminal.ask("Stop \(count.counted("run"))?")
    }
}
