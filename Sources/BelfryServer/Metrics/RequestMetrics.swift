import BelfryCore
import Synchronization

/// What is counted about requests. Labels are route patterns and status codes, never paths.
final class RequestMetrics: Sendable {
    private struct Key: Hashable {
        var route: String
        var status: Int
    }

    private struct Figures {
        var count = 0
        var seconds = 0.0
    }

    private let figures = Mutex<[Key: Figures]>([:])

    func count(route: String, status: Int, duration: Duration) {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        figures.withLock {
            $0[Key(route: route, status: status), default: Figures()].count += 1
            $0[Key(route: route, status: status), default: Figures()].seconds += seconds
        }
    }

    var samples: [MetricSample] {
        let figures = figures.withLock { $0 }
        let sorted = figures.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }
        func samples(_ name: String, _ help: String, _ value: (Figures) -> Double) -> [MetricSample] {
            sorted.map { key, figures in
                MetricSample(
                    name, help: help, kind: .counter,
                    labels: [.init("route", key.route), .init("status", String(key.status))], value: value(figures)
                )
            }
        }
        return samples("belfry_http_requests_total", "Requests answered, by route and status.") { Double($0.count) }
            + samples("belfry_http_request_seconds_total", "Time spent on them, streams aside.") { $0.seconds }
    }
}
