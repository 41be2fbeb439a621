import BelfryCore

/// Signed deliveries at a fixed rate. Each has an id of its own; its latency counts from when it was due, so that a hub that
/// keeps all connections waiting does not look faster.
struct PacedIngest {
    /// A request with a place for its id. GitHub signs the body alone, so one signature is good for all.
    struct Template: Sendable {
        private(set) var request: [UInt8]
        private let digits: Range<Int>

        /// - Parameters:
        ///   - request: head and body.
        ///   - id: what stands in it once, and ends with twelve digits.
        init?(_ request: [UInt8], id: String) {
            guard let place = request.firstRange(of: Array(id.utf8)), place.count >= 12 else { return nil }
            self.request = request
            digits = (place.upperBound - 12)..<place.upperBound
        }

        /// Gives it another id than all before.
        mutating func number(_ number: Int) {
            var rest = number
            for place in digits.reversed() {
                request[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
        }
    }

    /// Deliveries per second.
    let rate: Double
    private(set) var accepted = 0
    private(set) var refused = 0
    private(set) var latency = Histogram()
    private var template: Template
    private var connections: [RequestConnection]
    private var idle: [Int]
    /// Per connection, when the delivery that it has sent was due.
    private var due: [Int64]
    private let begin = Nanoseconds.now()
    private var posted = 0
    private var counted = Nanoseconds.now()

    init(rate: Double, template: Template, connections: [RequestConnection]) {
        (self.rate, self.template, self.connections) = (rate, template, connections)
        idle = Array(connections.indices)
        due = connections.map { _ in 0 }
    }

    /// Posts what is due; how long it is until something is, nil if that depends on an answer.
    mutating func postDue(_ now: Int64, _ poller: borrowing Poller) -> Int64? {
        while let place = idle.last {
            let time = begin + Int64(Double(posted) * 1e9 / rate)
            if time > now { return time - now }
            idle.removeLast()
            due[place] = time
            template.number(posted)
            posted += 1
            if !connections[place].send(template.request, poller) {
                refused += 1
                idle.append(place)
            }
        }
        return nil
    }

    /// Something has come over a connection.
    mutating func receive(_ place: Int, _ poller: borrowing Poller) {
        let status = connections[place].receive(poller)
        guard status != 0 else { return }
        idle.append(place)
        if (200..<300).contains(status) { accepted += 1 } else { refused += 1 }
        latency.add(nanoseconds: Nanoseconds.now() - due[place])
    }

    /// Counts anew from now on.
    mutating func restart() {
        (accepted, refused, latency, counted) = (0, 0, Histogram(), Nanoseconds.now())
    }

    mutating func disconnect() {
        for place in connections.indices { connections[place].disconnect() }
    }

    /// What has been counted since ``restart()``.
    var json: JSONValue {
        let seconds = Double(Nanoseconds.now() - counted) / 1e9
        return [
            "rate": .double(rate), "accepted": .int(accepted), "refused": .int(refused),
            "per_second": .double((Double(accepted) / max(1e-3, seconds)).rounded()),
            "p50_ms": .double(latency.quantile(0.5).asMilliseconds),
            "p99_ms": .double(latency.quantile(0.99).asMilliseconds),
            "max_ms": .double(latency.longest.asMilliseconds),
        ]
    }
}
