import ArgumentParser
import BelfryCore

struct BenchStop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Have a scripted provider talk in many runs, stop them, and time how soon they are gone.",
        discussion: """
            Runs are stopped one after the other, over REST and the WebSocket in turn, and each is started anew, so \
            that as many are live at every stop; at the end all of them at once. A stop is timed until its answer is \
            there, and the provider looks at that moment whether its socket is closed. The rule and its agent are made \
            in the hub under bench-tokens (which takes an admin's token) and removed at the end, the agent aside. Ends \
            with 1 if a socket was open when its stop was answered, or a stop was not applied.

            EXAMPLE
              belfry bench stop
              belfry bench stop --runs 50 --stops 500 --output json
            """
    )

    @OptionGroup var client: ClientOptions
    @Option(help: "Runs that are live at every stop.") var runs = 200
    @Option(help: "Stops that are timed.") var stops = 1000
    @Option(help: "Tokens per second of each run.") var rate = 20.0
    @Option(help: "IPv4 address of this machine, by which the hub reaches the provider.") var host = "127.0.0.1"

    func validate() throws {
        for (name, value, most) in [("runs", runs, Limits.runsRunningMax), ("stops", stops, 1_000_000)] {
            guard (1...most).contains(value) else { throw ValidationError("--\(name) is between 1 and \(most)") }
        }
        guard rate > 0, rate <= 1e6 else {
            throw ValidationError("--rate is more than 0 and at most 1000000 per second")
        }
    }

    func run() async throws {
        OpenFiles.raiseLimit()
        let plan = TokensPlan(
            runs: runs, dashboards: 0, tokens: 0, warmUp: 0, rate: rate, processes: [], patience: .seconds(10),
            hub: try Endpoint(url: client.hub.baseURL),
            authorization: "Authorization: Bearer \(try client.foundToken())\r\n", mark: .random(in: 1...UInt32.max / 2)
        )
        let listener = try ProviderListener(host: host)
        let hub = TokensHub(client: try client.client())
        try await hub.setUp(provider: "http://\(host):\(listener.port)/v1", runs: runs, hasIngest: false)
        let report: StopReport
        do {
            var run = try StopRun(plan: plan, listener: listener)
            let isWatched = Terminal.isInteractive
            report = try run.measure(stops: stops) { if isWatched { Terminal.writeError($0 + "\n") } }
        } catch {
            try? await hub.remove()
            throw error
        }
        try await hub.remove()
        client.output.show(report.json(plan), StopReport.text)
        if !report.isClean { throw ExitCode(Failure.Code.negative.rawValue) }
    }
}
