import ArgumentParser
import BelfryCore

struct BenchTokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens",
        abstract: "Have a scripted provider talk in many runs, and time each token's way to the dashboards that watch.",
        discussion: """
            A model's provider is played here; the hub's agent asks it. The rule and its agent, and with --ingest a source \
            and a rule, are made in the hub under bench-tokens… (which takes an admin's token) and removed at the end, \
            the agent aside. Ends with 1 if any token was lost, doubled or reordered, or a delivery refused.

            EXAMPLE
              belfry bench tokens --pid "$(pgrep -xo belfry)"
              belfry bench tokens --runs 10 --tokens 500 --ingest 2000 --output json
            """
    )

    @OptionGroup var client: ClientOptions
    @Option(help: "Runs that talk at the same time.") var runs = 100
    @Option(help: "Dashboards, spread over the runs (default ten per run).") var dashboards: Int?
    @Option(help: "Tokens of each run that are timed.") var tokens = 1000
    @Option(help: "Tokens of each run before them, which are counted and not timed.") var warmUp = 100
    @Option(help: "Tokens per second of each run.") var rate = 100.0
    @Option(help: ArgumentHelp("Beside it, signed deliveries per second.", valueName: "rate")) var ingest: Double?
    @Option(help: "Connections that these take turns at.") var ingestConnections = 64
    @Option(help: "A process of the hub, for its processor time and memory; with its children. Repeatable.")
    var pid: [Int32] = []
    @Option(help: "What has not come after so many quiet seconds is lost.") var patience = 5
    @Option(help: "IPv4 address of this machine, by which the hub reaches the provider.") var host = "127.0.0.1"

    func validate() throws {
        let ranges: [(String, Int, ClosedRange<Int>)] = [
            ("runs", runs, 1...Limits.runsRunningMax), ("dashboards", dashboards ?? runs, runs...1_000_000),
            ("tokens", tokens, 1...1_000_000), ("warm-up", warmUp, 0...1_000_000),
            ("ingest-connections", ingestConnections, 1...10_000), ("patience", patience, 1...3600),
        ]
        for (name, value, range) in ranges where !range.contains(value) {
            throw ValidationError("--\(name) is between \(range.lowerBound) and \(range.upperBound)")
        }
        for (name, value) in [("rate", rate), ("ingest", ingest ?? 1)] where !(value > 0 && value <= 1e6) {
            throw ValidationError("--\(name) is more than 0 and at most 1000000 per second")
        }
        // What a step may say, and how long it may take, before the hub ends it.
        let most = Limits.stepOutputBytesMax / FanoutMark.Format.bytesMax
        guard tokens + warmUp < most, Double(tokens + warmUp) / rate < 500 else {
            throw ValidationError("--tokens and --warm-up: at most \(most - 1) together, and 500 s at their rate")
        }
    }

    func run() async throws {
        OpenFiles.raiseLimit()
        let endpoint = try Endpoint(url: client.hub.baseURL)
        let token = try client.foundToken()
        let listener = try ProviderListener(host: host)
        let hub = TokensHub(client: try client.client())
        try await hub.setUp(provider: "http://\(host):\(listener.port)/v1", runs: runs, hasIngest: ingest != nil)
        let result: (TokensReport, TokensPlan)
        do {
            let delivery = ingest == nil ? nil : try await hub.delivery(to: endpoint)
            let plan = plan(endpoint, token, delivery)
            var run = try TokensRun(plan: plan, listener: listener)
            let isWatched = Terminal.isInteractive
            result = (try run.measure { if isWatched { Terminal.writeError($0 + "\n") } }, plan)
        } catch {
            try? await hub.remove()
            throw error
        }
        try await hub.remove()
        client.output.show(result.0.json(result.1), TokensReport.text)
        if !result.0.isClean { throw ExitCode(Failure.Code.negative.rawValue) }
    }

    private func plan(_ hub: Endpoint, _ token: String, _ delivery: PacedIngest.Template?) -> TokensPlan {
        TokensPlan(
            runs: runs, dashboards: dashboards ?? 10 * runs, tokens: tokens, warmUp: warmUp, rate: rate, processes: pid,
            patience: .seconds(patience), hub: hub, authorization: "Authorization: Bearer \(token)\r\n",
            ingest: ingest.flatMap { rate in
                delivery.map { .init(rate: rate, connections: ingestConnections, template: $0) }
            },
            mark: .random(in: 1...UInt32.max / 2))
    }
}
