import ArgumentParser

/// What every client command takes: which hub, who is asking, and how the answer is shown.
struct ClientOptions: ParsableArguments {
    @OptionGroup var hub: HubOptions

    @Option(name: [.short, .long], help: "How answers are shown: table or json.")
    var output: OutputFormat = .table

    var hubURL: String { hub.hubURL }
    var dataFolder: String { hub.dataFolder }
    func client() throws -> APIClient { try hub.client() }
    func foundToken() throws -> String { try hub.foundToken() }
}
