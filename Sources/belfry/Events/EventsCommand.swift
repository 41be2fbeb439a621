import ArgumentParser

/// `belfry events`
struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "What came in, and what became of it.",
        discussion: """
            EXAMPLE
              belfry events why evt_01h455vb4pex5vsknk084sn02q
            """,
        subcommands: [EventsList.self, EventsShow.self, EventsWhy.self, EventsReplay.self, EventsTail.self],
        defaultSubcommand: EventsList.self
    )
}
