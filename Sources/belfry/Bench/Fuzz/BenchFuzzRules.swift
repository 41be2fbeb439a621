import ArgumentParser
import BelfryCore
import Glibc

struct BenchFuzzRules: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz-rules",
        abstract:
            "Hold the rule set against the plain matcher on random patterns and events. Ends with 1 if they differ.",
        discussion: """
            Needs no hub. A case that fails is cut down to what makes it fail, and printed with its seed: with that
            seed and --cases 1 it comes again.

            EXAMPLE
              belfry bench fuzz-rules --cases 100000 --seed 7
            """
    )

    @Option(help: "Cases, each of up to eight patterns and an event.") var cases: UInt64 = 10_000
    @Option(help: "The first case's seed; the others follow it.") var seed: UInt64 = 1
    @Option(help: "How the answer is shown.") var output = OutputFormat.table

    func run() throws {
        var refused = 0, patterns = 0, matches = 0
        let showsProgress = Terminal.isInteractive && isatty(STDERR_FILENO) == 1
        for index in 0..<cases {
            if showsProgress, index % 256 == 0 { Terminal.writeError("\r\u{1B}[K\(index) of \(cases)") }
            let caseSeed = seed &+ index
            let fuzzCase = FuzzGenerator.makeCase(seed: caseSeed)
            let finding = try fuzzCase.check()
            if finding.difference != nil {
                if showsProgress { Terminal.writeError("\r\u{1B}[K") }
                show(try Self.report(fuzzCase.minimised(), seed: caseSeed))
                throw ExitCode(Failure.Code.negative.rawValue)
            }
            patterns += fuzzCase.patterns.count
            refused += finding.refused
            matches += finding.matches
        }
        if showsProgress { Terminal.writeError("\r\u{1B}[K") }
        let answer: JSONValue = [
            "cases": .int(cases), "seed": .number(JSONNumber(Int64(truncatingIfNeeded: seed))),
            "patterns": .int(patterns - refused), "refused": .int(refused), "matches": .int(matches), "differ": 0,
        ]
        show(answer)
    }

    private func show(_ answer: JSONValue) {
        output.show(answer) { answer in
            guard let difference = answer["difference"]?.string else {
                return "\(answer.cell("cases")) cases, \(answer.cell("patterns")) patterns, "
                    + "\(answer.cell("matches")) matches: no difference\n"
            }
            var text = "seed \(answer.cell("seed")): \(difference)\n"
            for pattern in answer["patterns"]?.array ?? [] { text += "pattern  \(pattern.cell)\n" }
            return text + "event    \(answer.cell("event"))\n"
        }
    }

    private static func report(_ fuzzCase: FuzzCase, seed: UInt64) throws -> JSONValue {
        [
            "seed": .number(JSONNumber(Int64(truncatingIfNeeded: seed))),
            "difference": .optional(try fuzzCase.check().difference),
            "patterns": .array(fuzzCase.patterns.map { .string($0.text) }), "event": .string(fuzzCase.event.text),
        ]
    }
}
