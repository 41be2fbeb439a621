import BelfryCore
import Glibc

/// Subscribers of one topic and a publisher beside them, all on one thread: what is published must reach each
/// subscriber once and in order.
struct FanoutLoad {
    let endpoint: Endpoint
    let subscribers: Int
    let messages: Int
    /// Messages that may be under way to the slowest subscriber.
    let window: Int
    let subscribeRequest: [UInt8]
    /// The request that publishes this text.
    let publishRequest: (_ marker: String) -> [UInt8]

    struct Report {
        var deliveries = 0, lost = 0, doubled = 0, reordered = 0, closed = 0, refused = 0
        var latency = Histogram()
        var elapsed = Duration.zero

        var isClean: Bool { lost + doubled + reordered + closed + refused == 0 }

        var json: JSONValue {
            [
                "deliveries": .int(deliveries),
                "per_second": .double((Double(deliveries) / max(0.001, elapsed.asSeconds)).rounded()),
                "lost": .int(lost), "doubled": .int(doubled), "reordered": .int(reordered), "closed": .int(closed),
                "publishes_refused": .int(refused), "p50_ms": .double(latency.quantile(0.5).asMilliseconds),
                "p99_ms": .double(latency.quantile(0.99).asMilliseconds),
                "max_ms": .double(latency.longest.asMilliseconds), "seconds": .double(elapsed.asSeconds),
            ]
        }
    }

    func run() throws -> Report {
        var poller = Poller()
        var readers: [FanoutReader] = []
        defer { readers.forEach { close($0.socket) } }
        for _ in 0..<subscribers {
            let reader = FanoutReader(socket: try endpoint.connect())
            readers.append(reader)
            poller.add(reader.socket)
            guard poller.write(reader.socket, subscribeRequest) else {
                throw Failure(.unreachable, "a subscriber was cut")
            }
        }
        try awaitHeads(&readers, &poller)
        return try publish(&readers, &poller)
    }

    private func awaitHeads(_ readers: inout [FanoutReader], _ poller: inout Poller) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while let waiting = readers.first(where: { $0.status == 0 && !$0.isClosed }) {
            guard ContinuousClock.now < deadline else {
                throw Failure(.unreachable, "socket \(waiting.socket) got no answer")
            }
            for index in poller.wait(.seconds(1)) { readers[index].receive(&poller) { _ in } }
        }
        guard readers.allSatisfy({ $0.status == 200 }) else {
            throw Failure(
                .refused, "a subscription was answered with \(readers.map(\.status).first { $0 != 200 } ?? 0)")
        }
    }

    private func publish(_ readers: inout [FanoutReader], _ poller: inout Poller) throws -> Report {
        var report = Report()
        var publisher = FanoutReader(socket: try endpoint.connect())
        defer { close(publisher.socket) }
        poller.add(publisher.socket)
        let start = ContinuousClock.now
        var progress = start
        var next = 0, answered = 0
        /// How many subscribers each message still has to reach.
        var missing = [Int](repeating: readers.count, count: messages)
        var oldest = 0
        while oldest < messages {
            if next < messages, answered == next, next - oldest < window {
                let sent = (ContinuousClock.now - start).nanoseconds
                guard poller.write(publisher.socket, publishRequest("belfry-bench=\(next),\(sent);")) else { break }
                next += 1
            }
            for index in poller.wait(.seconds(1)) {
                guard index < readers.count else {
                    answered += publisher.receiveAnswers(&poller, refused: &report.refused)
                    continue
                }
                readers[index].receive(&poller) { message in
                    guard missing.indices.contains(message.number) else { return }
                    missing[message.number] -= 1
                    report.deliveries += 1
                    report.latency.add((ContinuousClock.now - start) - .nanoseconds(message.sent))
                    progress = .now
                }
            }
            while oldest < next, missing[oldest] <= 0 { oldest += 1 }
            guard !publisher.isClosed, ContinuousClock.now - progress < .seconds(10) else { break }
        }
        report.elapsed = progress - start
        for reader in readers {
            report.lost += messages - reader.seenCount
            report.doubled += reader.doubled
            report.reordered += reader.reordered
            report.closed += reader.isClosed ? 1 : 0
        }
        return report
    }
}
