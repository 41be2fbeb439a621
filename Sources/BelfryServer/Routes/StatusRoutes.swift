import BelfryCore
import BelfryEngine
import HTTPTypes

/// What a supervisor, a load balancer and a Prometheus ask.
struct StatusRoutes {
    let hub: Hub
    let tls: ServerTLS?
    /// Everything `/metrics` shows.
    let samples: @Sendable () -> [MetricSample]

    func add(to table: inout RouteTable) {
        table.add(.get, "/healthz", .open) { _ in .json(["status": "ok"]) }
        table.add(.get, "/readyz", .open, ready)
        table.add(.get, "/v1/status", .role(.viewer)) { _ in .json(status) }
        table.add(.get, "/metrics", .loopbackOrToken) { _ in
            .bytes(Array(PrometheusText.render(samples()).utf8), contentType: PrometheusText.contentType)
        }
    }

    /// Of the hub, and of the edge.
    private var status: JSONObject {
        var status = hub.status
        if let tls { status["tls"] = tls.status }
        return status
    }

    private func ready(_ request: RouteRequest) async throws -> Reply {
        switch hub.readiness {
        case .ready: return .json(["status": "ready"])
        case .notReady(let reason): throw BelfryError(.shuttingDown, "not ready: \(reason)")
        }
    }
}
