import ArgumentParser
import BelfryCore

struct AuditTail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Show the latest entries; with --follow also those to come.",
        discussion: """
            EXAMPLE
              belfry audit tail --follow
            """
    )

    @OptionGroup var client: ClientOptions
    @Option(name: [.customShort("n"), .long], help: "How many entries.") var lines: Int = 20
    @Flag(name: [.short, .long], help: "Go on until Ctrl-C.") var follow = false

    func validate() throws {
        guard (1...1000).contains(lines) else { throw ValidationError("--lines is between 1 and 1000") }
    }

    func run() async throws {
        let client = try self.client.client()
        let latest = try await client.get("/v1/audit", [("limit", String(lines))]).items.reversed()
        latest.forEach(show)
        var last = latest.last?["seq"]?.number?.int64 ?? 0
        while follow {
            try await Task.sleep(for: .seconds(1))
            for entry in try await client.get("/v1/audit", [("after", String(last)), ("limit", "1000")]).items {
                show(entry)
                last = max(last, entry["seq"]?.number?.int64 ?? last)
            }
        }
    }

    private func show(_ entry: JSONValue) {
        switch client.output {
        case .json: Terminal.write(entry.text + "\n")
        case .table:
            let cells = [
                entry.cell("seq").padded(to: 6), entry.timeCell("time"), entry.cell("actor").padded(to: 16),
                entry.cell("action").padded(to: 18), entry.cell("subject"), AuditText.detail(of: entry),
            ]
            Terminal.write(Terminal.harmless(cells.joined(separator: "  ")).replacing("\n", with: " ") + "\n")
        }
    }
}
