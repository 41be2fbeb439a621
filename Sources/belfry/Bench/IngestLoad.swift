import BelfryCore
import Glibc

/// Connections that each post a delivery, wait for the answer, and post the next.
struct IngestLoad {
    let endpoint: Endpoint
    let connections: Int
    let duration: Duration
    /// A whole request: head and body, with a new id each time.
    let makeRequest: () -> [UInt8]

    struct Report {
        var accepted = 0
        var refused = 0
        /// Connections that broke.
        var broken = 0
        var latency = Histogram()
        var elapsed = Duration.zero

        var json: JSONValue {
            [
                "accepted": .int(accepted), "refused": .int(refused), "broken_connections": .int(broken),
                "per_second": .double((Double(accepted) / max(0.001, elapsed.asSeconds)).rounded()),
                "p50_ms": .double(latency.quantile(0.5).asMilliseconds),
                "p99_ms": .double(latency.quantile(0.99).asMilliseconds),
                "max_ms": .double(latency.longest.asMilliseconds), "seconds": .double(elapsed.asSeconds),
            ]
        }
    }

    private struct Connection {
        var socket: Int32
        var parser = ResponseParser()
        var sent = ContinuousClock.now
        /// Of the answer that is on its way, and of the one that has come.
        var pendingStatus = 0
        var status = 0
    }

    func run() throws -> Report {
        let poller = Poller()
        var all: [Connection] = []
        defer { all.forEach { close($0.socket) } }
        for index in 0..<connections {
            all.append(Connection(socket: try endpoint.connect()))
            poller.add(all[index].socket, as: index)
        }
        var report = Report()
        let start = ContinuousClock.now
        for index in all.indices { post(&all[index], poller, &report) }
        var atWork = connections - report.broken
        while atWork > 0 {
            guard ContinuousClock.now - start < duration + .seconds(10) else { break }
            for place in 0..<poller.wait(nanoseconds: 1_000_000_000) {
                let index = poller[place]
                guard receive(&all[index], poller, &report) else {
                    report.broken += 1
                    atWork -= 1
                    poller.remove(all[index].socket)
                    continue
                }
                guard all[index].status > 0 else { continue }
                all[index].status = 0
                if ContinuousClock.now - start < duration { post(&all[index], poller, &report) } else { atWork -= 1 }
            }
        }
        report.elapsed = .now - start
        return report
    }

    private func post(_ connection: inout Connection, _ poller: borrowing Poller, _ report: inout Report) {
        let request = makeRequest()
        connection.sent = .now
        if !poller.write(connection.socket, request) { report.broken += 1 }
    }

    /// False if the connection is of no more use. `status` is set when an answer is complete.
    private func receive(_ connection: inout Connection, _ poller: borrowing Poller, _ report: inout Report) -> Bool {
        guard let bytes = poller.read(connection.socket) else { return false }
        var status = 0
        var isComplete = false
        let isHTTP = connection.parser.feed(bytes) { part in
            switch part {
            case .head(let head): status = head.status
            case .body: break
            case .end: isComplete = true
            }
        }
        if status > 0 { connection.pendingStatus = status }
        guard isComplete else { return isHTTP }
        connection.status = connection.pendingStatus
        if (200..<300).contains(connection.status) { report.accepted += 1 } else { report.refused += 1 }
        report.latency.add(.now - connection.sent)
        return isHTTP
    }
}
