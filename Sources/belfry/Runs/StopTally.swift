import BelfryCore

/// What became of stopping all, which may take several requests.
struct StopTally {
    private(set) var stopped = 0
    private(set) var unconfirmed = 0
    /// Had ended before their stop came.
    private(set) var ended = 0
    /// There are more than one request stops.
    private(set) var more = false
    private var runs: [JSONValue] = []
    private var milliseconds = 0

    mutating func add(_ answer: JSONValue) {
        func count(_ key: String) -> Int { Int(answer[key]?.number?.int64 ?? 0) }
        stopped += count("stopped")
        unconfirmed += count("unconfirmed")
        ended += count("ended")
        milliseconds += count("latency_ms")
        runs += answer["runs"]?.array ?? []
        // Where nothing was stopped nothing will be: those that are left do not end.
        more = answer["more"]?.bool == true && count("stopped") > 0
    }

    var json: JSONValue {
        [
            "stopped": .int(stopped), "unconfirmed": .int(unconfirmed), "ended": .int(ended), "runs": .array(runs),
            "latency_ms": .int(milliseconds),
        ]
    }

    /// `12 runs stopped after 30 ms`, and those that may not be gone.
    var text: String {
        var text = "\(stopped.counted("run")) stopped after \(milliseconds) ms"
        if ended > 0 { text += "; \(ended) had ended before" }
        if unconfirmed > 0 { text += Terminal.red("; \(unconfirmed) may not be gone") }
        let lines = runs.map { "  \($0.cell("run"))  \($0.cell("reason"))" }
        return ([text] + lines.map(Terminal.harmless)).joined(separator: "\n") + "\n"
    }
}
