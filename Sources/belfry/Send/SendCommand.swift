import ArgumentParser
import BelfryCore
import BelfrySources

/// `belfry send`
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Sign a delivery as its sender would and post it to the hub's front door.",
        discussion: """
            Samples: \(SampleDelivery.names.joined(separator: ", ")). A preset's name sends its first sample.

            The secret of a hub on this machine is read over the API; elsewhere --secret-file names it.

            EXAMPLE
              belfry send github-issues --watch
              belfry send github --file issue.json --header 'X-GitHub-Event: issues'
              belfry send sensor --file reading.json --dry-run
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "A sample or a preset.") var what: String
    @Option(help: ArgumentHelp("Body to send instead of the sample's (- for stdin).", valueName: "file"))
    var file: String?
    @Option(help: "The source to send to (default: the first of the preset).") var source: String?
    @Option(help: ArgumentHelp("File that holds the secret.", valueName: "file")) var secretFile: String?
    @Option(help: ArgumentHelp("A header of the sender's, 'Name: value' (may be repeated).", valueName: "header"))
    var header: [String] = []
    @Option(help: "The sender's id of the delivery (default: a new one). The same id is the same delivery.")
    var id: String?
    @Flag(help: "Show the text of the runs that it starts, as it comes.") var watch = false
    @Flag(help: "Say what would happen, and why; nothing is stored (for operators).") var dryRun = false
    @Flag(help: "With --dry-run: also the rules that are for other sources.") var all = false

    func validate() throws {
        if dryRun, watch { throw ValidationError("a dry run starts nothing to --watch") }
        if all, !dryRun { throw ValidationError("--all goes with --dry-run") }
    }

    func run() async throws {
        let client = try self.client.client()
        let template = try DeliveryTemplate(named: what, file: file, headers: header)
        let target = try await DeliveryTarget.find(
            preset: template.preset, name: source, secretFile: secretFile, client: client
        )
        if dryRun {
            let answer = try await target.rehearse(template, id: id ?? DeliveryTarget.newID(), client: client)
            return self.client.output.show(answer) { DryRunText.of($0, showsAll: all) }
        }
        let answer = try await target.post(template, id: id ?? DeliveryTarget.newID(), client: client)
        guard answer.object != nil else {
            // Slack's forms, and sources with an answer of their own.
            self.client.output.show(answer) { _ in
                "taken; its sender is told no more (belfry events list --source \(target.source.name) shows the event)\n"
            }
            return
        }
        let events = answer["events"]?.array ?? [answer]
        // What is watched is what the reader wants to see; the answer goes beside it.
        if watch, self.client.output == .table {
            events.forEach { Terminal.writeError(Self.line($0)) }
        } else {
            self.client.output.show(answer) { _ in events.map(Self.line).joined() }
        }
        if watch {
            let runs = events.flatMap { $0["runs"]?.array ?? [] }.compactMap(\.string)
            try await RunWatch(client: client, output: self.client.output).follow(runs)
        }
    }

    /// `evt_… matched → run_…`, or where to ask why nothing began.
    static func line(_ event: JSONValue) -> String {
        let runs = event["runs"]?.array ?? []
        let id = event.cell("event")
        let rest = runs.isEmpty ? " (why: belfry events why \(id))" : " → " + runs.map(\.cell).joined(separator: ", ")
        return "\(id) \(event.cell("status"))\(rest)\n"
    }
}
