import BelfryCore
import Glibc

/// What became of the events of one `events replay`.
struct ReplayTally {
    /// Lines as they come; else only progress and a summary.
    let showsEach: Bool
    private(set) var failed = 0
    /// Events on which no rule matched.
    private(set) var unmatched = 0
    private var answers: [JSONValue] = []
    private var outcomes: [String: Int] = [:]
    private var runs = 0
    private var hasProgress = false

    init(showsEach: Bool) { self.showsEach = showsEach }

    mutating func add(_ answer: JSONValue) {
        answers.append(answer)
        let matches = answer["outcomes"]?.array ?? []
        if matches.isEmpty { unmatched += 1 }
        for match in matches { outcomes[match.cell("outcome"), default: 0] += 1 }
        runs += answer["runs"]?.array?.count ?? 0
        guard showsEach else { return }
        let what =
            matches.isEmpty
            ? "no rule matches; belfry events why \(answer.cell("event")) says which clause decided"
            : matches.map { "\($0.cell("rule")) \($0.cell("outcome"))" }.joined(separator: ", ")
        let made = answer["runs"]?.array?.isEmpty == false ? " (\(answer.cell("runs")))" : ""
        Terminal.write("\(answer.cell("event")): \(Terminal.harmless(what))\(made)\n")
    }

    mutating func add(_ failure: Failure, of event: String) {
        failed += 1
        clearProgress()
        Terminal.complain("\(event): \(failure.message)")
    }

    /// On a terminal: how far it is.
    mutating func showProgress(_ done: Int, of count: Int) {
        guard !showsEach, Terminal.isInteractive, isatty(STDERR_FILENO) == 1 else { return }
        hasProgress = true
        Terminal.writeError("\r\u{1B}[Kreplaying \(done + 1) of \(count)")
    }

    mutating func clearProgress() {
        if hasProgress { Terminal.writeError("\r\u{1B}[K") }
        hasProgress = false
    }

    var json: JSONValue { ["items": .array(answers), "failed": .int(failed)] }

    /// `replayed 12 events: 10 started, 2 paused; 10 runs`
    var summary: String {
        guard !answers.isEmpty || failed > 0 else {
            return "no event is stored that fits --source, --status (paused, unless it is given) and --last\n"
        }
        let counts =
            outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            + (unmatched > 0 ? ["\(unmatched) without a match"] : [])
        let failures = failed > 0 ? "; \(failed) failed" : ""
        let events = answers.count.counted("event")
        let started = runs.counted("run")
        return "replayed \(events): \(counts.joined(separator: ", ")); \(started)\(failures)\n"
    }
}
