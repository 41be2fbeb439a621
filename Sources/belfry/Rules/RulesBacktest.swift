import ArgumentParser
import BelfryCore
import Foundation

struct RulesBacktest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backtest",
        abstract: "Tell what a rule would have done with stored events. Nothing is stored or started.",
        discussion: """
            Matches, groups, limits and resolving are decided as for deliveries, in the order in which the events came, \
            with every run taken to last --run-takes. The result is compared with what the stored rule of that name did.

            Works in the hub, behind deliveries; Ctrl-C cancels it there too.

            EXAMPLE
              belfry rules backtest ./hot-pump.yaml --last 7d
              belfry rules backtest ./hot-pump.yaml --from 2026-03-01 --to 2026-04-01 --source plant
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "A file that holds the rule, or a stored rule's name.") var rule: String
    @Option(name: .customLong("rule"), help: "Of several rules in the file this one.") var name: String?
    @Option(help: ArgumentHelp("Events received within this time (default 24h).", valueName: "duration"))
    var last: String?
    @Option(help: ArgumentHelp("Events received from here on: a day, or a time with its zone.", valueName: "time"))
    var from: String?
    @Option(help: ArgumentHelp("Events received before this (default now).", valueName: "time")) var to: String?
    @Option(help: "Only events of this source.") var source: String?
    @Option(help: ArgumentHelp("How long each run is taken to last.", valueName: "duration")) var runTakes = "30s"

    func validate() throws {
        guard last == nil || (from == nil && to == nil) else { throw ValidationError("--last, or --from and --to") }
        guard to == nil || from != nil else { throw ValidationError("--to goes with --from") }
        for (option, text) in [("--last", last), ("--run-takes", runTakes)] {
            guard text.map({ Duration(shorthand: $0) != nil }) ?? true else {
                throw ValidationError("\(option) must be a duration with its unit, such as 30s, 24h or 7d")
            }
        }
        for (option, text) in [("--from", from), ("--to", to)] {
            guard text.map({ Self.time($0) != nil }) ?? true else {
                throw ValidationError("\(option) must be a day or a time: 2026-03-01, 2026-03-01T12:00:00Z")
            }
        }
        if let from = from.flatMap(Self.time) {
            guard from < WallClock.system.now() else {
                throw ValidationError("--from lies in the future: no event has been received since")
            }
            guard to.flatMap(Self.time).map({ from < $0 }) ?? true else {
                throw ValidationError("--from must be before --to")
            }
        }
    }

    func run() async throws {
        var body: JSONObject = ["rule": .string(rule), "run_takes": .string(runTakes)]
        if try DocumentFiles.mean(rule) {
            body["rule"] = .string(try LocalFile.text(at: rule, bytesMax: Limits.documentBytesMax))
            body["path"] = .string(rule)
        } else if !Name.isValid(rule) {
            throw Failure(.usage, "\(rule) is no file, and no name of a rule")
        }
        if let name { body["name"] = .string(name) }
        if let source { body["source"] = .string(source) }
        if let from = from.flatMap(Self.time) {
            body["from"] = .string(from.description)
            if let to = to.flatMap(Self.time) { body["to"] = .string(to.description) }
        } else {
            body["last"] = .string(last ?? "24h")
        }
        let watch = BacktestWatch(client: try client.client(), showsProgress: client.output == .table)
        let answer = try await watch.result(of: .object(body))
        client.output.show(answer) { BacktestText.of($0) }
    }

    /// A day is its beginning, in UTC.
    static func time(_ text: String) -> Timestamp? { Timestamp(text) ?? Timestamp(text + "T00:00:00Z") }
}
