import ArgumentParser
import BelfryCore
import BelfryRules
import Glibc

struct BenchMatch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "match",
        abstract: "Measure what it costs to hold one event against many rules.",
        discussion: """
            Needs no hub. One thread; an event's text is parsed anew each time. CPU time is this thread's own, the \
            fastest of five rounds. Without files, rules and events are made up, at 10 to 100,000 rules.

            Files hold one pattern or event a line, as JSON. A pattern applies to the event as it stands.

            EXAMPLE
              belfry bench match
              belfry bench match --hostile --counts 1000,10000
              belfry bench match --rules patterns.jsonl --events events.jsonl --output json
            """
    )

    @Option(help: ArgumentHelp("Patterns, one a line.", valueName: "file")) var rules: String?
    @Option(help: ArgumentHelp("Events, one a line.", valueName: "file")) var events: String?
    @Option(help: ArgumentHelp("How many rules to make up, separated by commas.", valueName: "numbers"))
    var counts = "10,1000,10000,100000"
    @Flag(help: "Made-up rules and events that are hostile: each rule is led to each of as many values.")
    var hostile = false
    @Option(name: [.short, .long], help: "How the answer is shown.") var output = OutputFormat.table

    func validate() throws {
        guard let sizes, !sizes.isEmpty else {
            throw ValidationError("--counts is a list of numbers from 1 to 1000000: 10,1000")
        }
        if hostile, rules != nil || events != nil {
            throw ValidationError("--hostile makes up its own rules and events: leave out --rules and --events")
        }
    }

    private var sizes: [Int]? {
        let sizes = counts.split(separator: ",").map { Int($0) ?? 0 }
        return sizes.allSatisfy { (1...1_000_000).contains($0) } ? sizes : nil
    }

    func run() throws {
        let events = try self.events.map(Self.events) ?? SampleEvents.all
        guard let rules else {
            var measured: [JSONValue] = []
            for size in sizes ?? [] {
                let samples =
                    hostile
                    ? HostileSamples.all(size).map { ($0.patterns, [$0.event]) }
                    : [(SampleRules.patterns(size), events)]
                for (patterns, events) in samples {
                    let answer = try Self.measure(patterns, events)
                    measured.append(answer)
                    if output == .table { output.show(answer, Self.table) }
                }
            }
            if output == .json { output.show(.array(measured), Self.table) }
            return
        }
        output.show(try Self.measure(try Self.lines(of: rules), events), Self.table)
    }

    private static func measure(_ patterns: [RawJSON], _ events: [MatchMeter.Event]) throws -> JSONValue {
        guard !patterns.isEmpty, !events.isEmpty else { throw Failure(.usage, "there is nothing to measure") }
        let showsProgress = Terminal.isInteractive && isatty(STDERR_FILENO) == 1
        func progress(_ text: String) { if showsProgress { Terminal.writeError("\r\u{1B}[K\(text)") } }
        defer { progress("") }
        progress("compiling \(patterns.count) rules")
        let compiled = try MatchMeter.compile(patterns)
        let costs = events.map { event in
            progress("\(patterns.count) rules, event \(event.name)")
            return MatchMeter().cost(of: event, compiled.rules)
        }
        return [
            "rules": .int(patterns.count), "parse_s": .double(Self.rounded(compiled.parsing)),
            "compile_s": .double(Self.rounded(compiled.compiling)),
            "bytes_per_rule": .int(compiled.heapBytes / patterns.count),
            "compiled_bytes_per_rule": .int(compiled.rules.compiledBytes / patterns.count),
            "events": .array(
                costs.map { cost in
                    [
                        "event": .string(cost.event), "bytes": .int(cost.bytes),
                        "cpu_us_per_event": .double((cost.cpuMicroseconds * 1000).rounded() / 1000),
                        "events_per_s_per_core": .int(Int(1_000_000 / cost.cpuMicroseconds)),
                        "matches": .int(cost.matches),
                    ]
                }),
        ]
    }

    /// In seconds, to a tenth of a millisecond: less is noise.
    private static func rounded(_ duration: Duration) -> Double { (duration.asSeconds * 10_000).rounded() / 10_000 }

    private static func table(_ answer: JSONValue) -> String {
        let head =
            "\(answer.cell("rules")) rules: compiled in \(answer.cell("compile_s")) s "
            + "(patterns read in \(answer.cell("parse_s")) s), \(answer.cell("bytes_per_rule")) bytes a rule, "
            + "\(answer.cell("compiled_bytes_per_rule")) of them compiled\n"
        let header = ["event", "bytes", "matches", "cpu us per event", "events/s per core"]
        let table = Table(header, answer["events"]?.array ?? []) { event in
            [
                event.cell("event"), event.cell("bytes"), event.cell("matches"), event.cell("cpu_us_per_event"),
                event.cell("events_per_s_per_core"),
            ]
        }
        return head + table.text + "\n"
    }

    // MARK: Files

    private static func events(in path: String) throws -> [MatchMeter.Event] {
        try lines(of: path).enumerated().map { index, line in
            let value = line.value
            let name = value["event"]?.string ?? value["type"]?.string ?? "line \(index + 1)"
            return MatchMeter.Event(name: name, bytes: line.bytes)
        }
    }

    private static func lines(of path: String) throws -> [RawJSON] {
        let lines = try LocalFile.bytes(at: path, bytesMax: 1 << 30).split(separator: UInt8(ascii: "\n"))
        return try lines.enumerated().map { index, line in
            do throws(JSONError) {
                return try RawJSON(validating: Array(line))
            } catch {
                throw Failure(.usage, "\(path):\(index + 1): \(error)")
            }
        }
    }
}
