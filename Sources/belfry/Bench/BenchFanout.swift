import ArgumentParser
import BelfryCore

struct BenchFanout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fanout",
        abstract: "Publish to many subscribers and check that nothing is lost, doubled or reordered.",
        discussion: """
            Messages are numbered, and counted when they are complete. As fast as it goes unless --rate says otherwise; \
            then a message's latency counts from when it was due. Ends with 1 if anything was lost, doubled, \
            reordered or refused.

            Any server that publishes by POST can be measured: --url and --publish-url, with {topic} in them. In a \
            body and in --hello {topic}, {number}, {mark} (without which nothing is counted) and {pad} are filled in.

            EXAMPLE
              belfry bench fanout --subscribers 1000 --pid "$(pgrep -xo belfry)"
              belfry bench fanout --subscribers 1000 --rate 20 --seconds 10 --slow 100 --output json
              belfry bench fanout --url 'http://127.0.0.1:9101/sub/{topic}' \\
                --publish-url 'http://127.0.0.1:9101/pub/{topic}' --topics 100
            """
    )

    @OptionGroup var client: ClientOptions
    @OptionGroup(title: "The load") var load: FanoutLoadOptions
    @OptionGroup(title: "Another server than a hub") var target: FanoutTargetOptions

    func run() async throws {
        OpenFiles.raiseLimit()
        let plan = try load.plan(try target.wire(client.hub, isWebSocket: load.ws))
        let isWatched = Terminal.isInteractive
        let report = try FanoutLoad(plan: plan) { if isWatched { Terminal.writeError($0 + "\n") } }.run()
        client.output.show(report.json(plan), FanoutReport.text)
        if !report.isClean { throw ExitCode(Failure.Code.negative.rawValue) }
    }
}
