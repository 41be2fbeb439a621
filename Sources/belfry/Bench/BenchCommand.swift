import ArgumentParser

/// `belfry bench`
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a hub from outside, over plain HTTP (it writes into it), or the matcher by itself.",
        discussion: """
            EXAMPLE
              belfry bench fanout --subscribers 1000
              belfry bench match
            """,
        subcommands: [
            BenchIngest.self, BenchFanout.self, BenchTokens.self, BenchStop.self, BenchMatch.self, BenchFuzzRules.self,
        ]
    )
}
