import BelfryCore

/// What a run of `belfry bench stop` came to.
struct StopReport {
    /// From the stop's request to its answer, by the way it went.
    var rest = Histogram()
    var webSocket = Histogram()
    var all = Histogram()
    /// From the stop's request to where the provider saw its socket closed.
    var closed = Histogram()
    /// Sockets that were open when the stop was answered.
    var openAtAnswer = 0
    /// Stops whose answer was not `applied`.
    var notApplied = 0
    /// All runs at once: how many, and how long until the answer.
    var together: (runs: Int, time: Duration) = (0, .zero)
    /// How late a token was said, which is this client's fault.
    var lateness = Histogram()

    var isClean: Bool { openAtAnswer + notApplied == 0 }

    func json(_ plan: TokensPlan) -> JSONValue {
        [
            "runs": .int(plan.runs), "rate": .double(plan.rate), "stops": .int(all.count), "answered": Self.times(all),
            "rest": Self.times(rest), "websocket": Self.times(webSocket), "closed": Self.times(closed),
            "open_at_answer": .int(openAtAnswer), "not_applied": .int(notApplied),
            "together": ["runs": .int(together.runs), "ms": .double(together.time.asMilliseconds)],
            "said_late": Self.times(lateness),
        ]
    }

    private static func times(_ of: Histogram) -> JSONValue {
        [
            "p50_ms": .double(of.quantile(0.5).asMilliseconds), "p99_ms": .double(of.quantile(0.99).asMilliseconds),
            "max_ms": .double(of.longest.asMilliseconds),
        ]
    }

    static func text(_ json: JSONValue) -> String {
        func times(_ key: String) -> String {
            let of = json[key] ?? .null
            return "p50 \(of.cell("p50_ms")) ms, p99 \(of.cell("p99_ms")) ms, longest \(of.cell("max_ms")) ms"
        }
        return """
            \(json.cell("stops")) stops, \(json.cell("runs")) runs live at each
            answered    \(times("answered"))
            over REST   \(times("rest"))
            over WS     \(times("websocket"))
            closed      \(times("closed"))
            open        \(json.cell("open_at_answer")) sockets when their stop was answered; \
            \(json.cell("not_applied")) stops were not applied
            together    \(json["together"]?.cell("runs") ?? "-") runs in \(json["together"]?.cell("ms") ?? "-") ms
            said late   \(times("said_late"))

            """
    }
}
