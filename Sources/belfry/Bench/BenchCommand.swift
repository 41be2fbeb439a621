import ArgumentParser

/// `belfry bench`
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a hub from outside, over plain HTTP. It writes events and frames into it.",
        discussion: """
            EXAMPLE
              belfry bench fanout --subscribers 1000
            """,
        subcommands: [BenchIngest.self, BenchFanout.self]
    )
}
