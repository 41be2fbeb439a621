import BelfryCore

/// What a run of `belfry bench tokens` came to.
struct TokensReport {
    struct Server {
        var cpuPerDelivery: Double
        var memory: Int
        var processes: Int
    }

    /// Of the tokens behind the warm-up.
    var latency = Histogram()
    var firstTokens = Histogram()
    var lateness = Histogram()
    /// Tokens of the provider, and tokens in dashboards.
    var said = 0, unsaid = 0, deliveries = 0
    /// Of the deliveries.
    var lost = 0, doubled = 0, reordered = 0
    var closed = 0
    /// From the first token that was due to the last delivery.
    var seconds = 0.0
    var clientCPUPerDelivery = 0.0
    var server: Server?
    var ingest: JSONValue?

    var isClean: Bool {
        let refused = ingest?["refused"]?.number?.int64 ?? 0
        return lost + doubled + reordered + closed + unsaid == 0 && refused == 0
    }

    func json(_ plan: TokensPlan) -> JSONValue {
        var object: JSONObject = [
            "runs": .int(plan.runs), "dashboards": .int(plan.dashboards), "rate": .double(plan.rate),
            "tokens": .int(said), "deliveries": .int(deliveries), "seconds": .double(seconds),
            "per_second": .double((Double(deliveries) / max(1e-3, seconds)).rounded()),
        ]
        for (name, value) in Self.times(latency) { object[name] = value }
        for (name, count) in [
            ("lost", lost), ("doubled", doubled), ("reordered", reordered), ("closed", closed), ("unsaid", unsaid),
        ] { object[name] = .int(count) }
        object["first_token"] = .object(JSONObject(Self.times(firstTokens).map { .init(key: $0, value: $1) }))
        object["said_late"] = .object(JSONObject(Self.times(lateness).map { .init(key: $0, value: $1) }))
        object["client_cpu_us_per_delivery"] = Self.hundredths(clientCPUPerDelivery)
        object["server"] =
            server.map { server in
                [
                    "cpu_us_per_delivery": Self.hundredths(server.cpuPerDelivery),
                    "memory_bytes": .int(server.memory), "processes": .int(server.processes),
                ]
            } ?? .null
        object["ingest"] = ingest ?? .null
        return .object(object)
    }

    private static func hundredths(_ number: Double) -> JSONValue { .double((number * 100).rounded() / 100) }

    private static func times(_ of: Histogram) -> [(String, JSONValue)] {
        [
            ("p50_ms", .double(of.quantile(0.5).asMilliseconds)), ("p99_ms", .double(of.quantile(0.99).asMilliseconds)),
            ("max_ms", .double(of.longest.asMilliseconds)),
        ]
    }

    /// The report as lines for a person, from its JSON.
    static func text(_ json: JSONValue) -> String {
        func row(_ name: String, _ cells: [String]) -> String {
            name.padded(to: 22) + cells.joined(separator: "   ") + "\n"
        }
        func times(_ of: JSONValue) -> [String] { ["p50", "p99", "max"].map { "\($0) \(of.cell("\($0)_ms")) ms" } }
        func part(_ name: String) -> JSONValue { json[name] ?? .null }
        var text = row(
            "\(json.cell("runs")) runs",
            ["\(json.cell("rate")) tokens/s each", "\(json.cell("dashboards")) dashboards"])
        text += row("delivered", ["\(json.cell("per_second")) tokens/s"])
        text += row("added latency", times(json))
        text += row("faults", ["lost", "doubled", "reordered", "closed", "unsaid"].map { "\($0) \(json.cell($0))" })
        text += row("event to first token", times(part("first_token")))
        if let ingest = json["ingest"], ingest.object != nil {
            text += row(
                "ingest beside", ["\(ingest.cell("per_second")) deliveries/s", "refused \(ingest.cell("refused"))"])
            text += row("", times(ingest))
        }
        if let server = json["server"], server.object != nil {
            text += row("server", ["\(server.cell("cpu_us_per_delivery")) µs CPU per delivered token"])
        }
        text += row("this client", ["\(json.cell("client_cpu_us_per_delivery")) µs CPU per delivered token"])
        return text + row("  tokens said late", times(part("said_late")))
    }
}
