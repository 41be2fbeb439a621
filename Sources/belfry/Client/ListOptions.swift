import ArgumentParser

/// What every list takes.
struct ListOptions: ParsableArguments {
    @Option(help: "How many at most.") var limit: Int = 20
    @Option(help: "Where to go on: the `next` of the list before.") var cursor: String?

    var query: [(String, String?)] { [("limit", String(limit)), ("cursor", cursor)] }

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit is between 1 and 1000") }
    }
}
