import BelfryCore

/// What a run of `belfry bench fanout` came to.
struct FanoutReport {
    /// One stretch with the same subscribers.
    struct Stretch {
        var published = 0, deliveries = 0, refused = 0
        var seconds = 0.0
        var latency = Histogram()

        var perSecond: Double { (Double(deliveries) / max(1e-3, seconds)).rounded() }

        var json: JSONValue {
            [
                "per_second": .double(perSecond), "p50_ms": .double(latency.quantile(0.5).asMilliseconds),
                "p99_ms": .double(latency.quantile(0.99).asMilliseconds),
                "max_ms": .double(latency.longest.asMilliseconds),
            ]
        }
    }

    struct Server {
        /// Nil without a delivery.
        var cpuPerDelivery: Double?
        var memory: Int
        var memoryPerConnection: Int
        var processes: Int
    }

    struct Slow {
        var readers: Int
        var bytesRead: Int
        /// What waits in their sockets here.
        var bytesUnread: Int
        /// Those that the server has given up.
        var closed: Int
        /// The same load before they were there.
        var without: Stretch
    }

    var stretch = Stretch()
    var lost = 0, doubled = 0, reordered = 0, closed = 0
    var connectionsPerSecond = 0.0
    var clientCPUPerDelivery: Double?
    var server: Server?
    var slow: Slow?

    var isClean: Bool { lost + doubled + reordered + closed + stretch.refused == 0 }

    func json(_ plan: FanoutPlan) -> JSONValue {
        var object: JSONObject = [
            "transport": .string(plan.isWebSocket ? "ws" : "sse"), "subscribers": .int(plan.subscribers),
            "topics": .int(plan.topics.count), "size": .int(plan.size), "messages": .int(stretch.published),
            "deliveries": .int(stretch.deliveries), "seconds": .double(stretch.seconds),
        ]
        for member in stretch.json.object?.members ?? [] { object[member.key] = member.value }
        for (name, count) in [
            ("lost", lost), ("doubled", doubled), ("reordered", reordered), ("closed", closed),
            ("publishes_refused", stretch.refused),
        ] { object[name] = .int(count) }
        object["connections_per_second"] = .double(connectionsPerSecond.rounded())
        object["client_cpu_us_per_delivery"] = clientCPUPerDelivery.map { .double(($0 * 100).rounded() / 100) } ?? .null
        object["server"] = server.map(Self.json) ?? .null
        object["slow"] = slow.map(Self.json) ?? .null
        return .object(object)
    }

    private static func json(_ server: Server) -> JSONValue {
        [
            "cpu_us_per_delivery": server.cpuPerDelivery.map { .double(($0 * 100).rounded() / 100) } ?? .null,
            "memory_bytes": .int(server.memory), "memory_bytes_per_connection": .int(server.memoryPerConnection),
            "processes": .int(server.processes),
        ]
    }

    private static func json(_ slow: Slow) -> JSONValue {
        [
            "readers": .int(slow.readers), "bytes_read": .int(slow.bytesRead), "bytes_unread": .int(slow.bytesUnread),
            "closed": .int(slow.closed), "without": slow.without.json,
        ]
    }

    /// The report as lines for a person, from its JSON.
    static func text(_ json: JSONValue) -> String {
        func row(_ name: String, _ cells: [String]) -> String { name.padded(to: 22) + cells.joined(separator: "   ") }
        func speed(_ of: JSONValue) -> [String] {
            ["\(of.cell("per_second")) deliveries/s"] + ["p50", "p99", "max"].map { "\($0) \(of.cell("\($0)_ms")) ms" }
        }
        let topics = json["topics"]?.number?.int64
        let load =
            "\(json.cell("messages")) messages of \(json.cell("size")) bytes on \(json.cell("topics")) topic\(topics == 1 ? "" : "s")"
        var lines = [
            row("\(json.cell("subscribers")) subscribers", [json.cell("transport").uppercased(), load]),
            row("delivered", speed(json)),
            row("faults", ["lost", "doubled", "reordered", "closed"].map { "\($0) \(json.cell($0))" }),
        ]
        if json["publishes_refused"]?.number?.int64 != 0 {
            lines.append(row("publishes refused", [json.cell("publishes_refused")]))
        }
        if let slow = json["slow"], slow.object != nil {
            lines.append(row("before the slow ones", speed(slow["without"] ?? .null)))
            let bytes = "read \(slow.cell("bytes_read")) bytes, \(slow.cell("bytes_unread")) wait in their sockets"
            lines.append(
                row("\(slow.cell("readers")) slow readers", [bytes, "closed by the server \(slow.cell("closed"))"]))
        }
        if let server = json["server"], server.object != nil {
            let cpu = server["cpu_us_per_delivery"]?.number.map { ["\($0.text) µs CPU per delivery"] } ?? []
            lines.append(row("server", cpu + ["\(server.cell("memory_bytes_per_connection")) bytes per connection"]))
        }
        if let own = json["client_cpu_us_per_delivery"]?.number {
            lines.append(row("this client", ["\(own.text) µs CPU per delivery"]))
        }
        return lines.map { $0 + "\n" }.joined()
    }
}
