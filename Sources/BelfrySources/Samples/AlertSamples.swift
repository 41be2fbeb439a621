import BelfryCore

/// Alerts of one group, as Alertmanager and Grafana post them.
enum AlertSamples {
    /// Two alerts of one group, as Alertmanager posts them.
    static func alertmanager(isFiring: Bool, now: Timestamp) -> JSONValue {
        let start = now - .seconds(isFiring ? 90 : 1500)
        let status: JSONValue = isFiring ? "firing" : "resolved"
        let common: [(String, JSONValue)] = [
            ("alertname", "HighErrorRate"), ("cluster", "harbour-1"), ("job", "checkout"), ("severity", "critical"),
        ]
        func object(_ members: [(String, JSONValue)]) -> JSONValue {
            .object(JSONObject(members.map { .init(key: $0.0, value: $0.1) }))
        }
        func alert(_ instance: String, _ percent: String, fingerprint: JSONValue) -> JSONValue {
            [
                "status": status,
                "labels": object(common + [("instance", .string(instance))]),
                "annotations": [
                    "summary": .string("Checkout on \(instance) fails \(percent) % of its requests"),
                    "description": "More than 5 % of the requests of the last five minutes were answered with a 5xx.",
                    "runbook_url": "https://wiki.harbour.example/runbooks/high-error-rate",
                ],
                "startsAt": .string(start.description),
                "endsAt": .string(isFiring ? "0001-01-01T00:00:00Z" : now.description),
                "generatorURL":
                    "http://prometheus.harbour.example:9090/graph?g0.expr=checkout%3Aerrors%3Aratio5m+%3E+0.05",
                "fingerprint": fingerprint,
            ]
        }
        return [
            "receiver": "belfry",
            "status": status,
            "alerts": [
                alert("checkout-1:8080", "12.4", fingerprint: "5ef77f1f8a3ecfc2"),
                alert("checkout-2:8080", "9.8", fingerprint: "b3f9a1c6d20e7744"),
            ],
            "groupLabels": ["alertname": "HighErrorRate", "cluster": "harbour-1"],
            "commonLabels": object(common),
            "commonAnnotations": ["runbook_url": "https://wiki.harbour.example/runbooks/high-error-rate"],
            "externalURL": "http://alertmanager.harbour.example:9093",
            "version": "4",
            "groupKey": #"{}/{severity="critical"}:{alertname="HighErrorRate", cluster="harbour-1"}"#,
            "truncatedAlerts": 0,
        ]
    }

    /// One alert, as Grafana's webhook contact point posts it.
    static func grafana(isFiring: Bool, now: Timestamp) -> JSONValue {
        let start = now - .seconds(isFiring ? 60 : 1800)
        let status: JSONValue = isFiring ? "firing" : "resolved"
        let labels: JSONValue = [
            "alertname": "DiskFillsUp", "grafana_folder": "Harbour", "instance": "db-1", "severity": "warning",
        ]
        let board = "https://grafana.harbour.example/d/disks?orgId=1"
        return [
            "receiver": "belfry", "status": status, "orgId": 1, "version": "1",
            "alerts": [
                [
                    "status": status, "labels": labels,
                    "annotations": ["summary": "The disk of db-1 is full in about four hours"],
                    "startsAt": .string(start.description),
                    "endsAt": .string(isFiring ? "0001-01-01T00:00:00Z" : now.description),
                    "generatorURL": "https://grafana.harbour.example/alerting/grafana/disk-fills-up/view?orgId=1",
                    "fingerprint": "c6f1f0d2a9b37e55",
                    "silenceURL": "https://grafana.harbour.example/alerting/silence/new?matcher=instance%3Ddb-1",
                    "dashboardURL": .string(board), "panelURL": .string(board + "&viewPanel=3"),
                    "values": ["A": .double(isFiring ? 91.4 : 62.0), "C": isFiring ? 1 : 0],
                    "valueString": .string("[ var='A' labels={instance=db-1} value=\(isFiring ? 91.4 : 62.0) ]"),
                ]
            ],
            "groupLabels": ["alertname": "DiskFillsUp", "grafana_folder": "Harbour"], "commonLabels": labels,
            "commonAnnotations": ["summary": "The disk of db-1 is full in about four hours"],
            "externalURL": "https://grafana.harbour.example/", "truncatedAlerts": 0,
            "groupKey": #"{}/{}:{alertname="DiskFillsUp", grafana_folder="Harbour"}"#,
            "title": .string("[\(isFiring ? "FIRING" : "RESOLVED"):1] DiskFillsUp Harbour (db-1 warning)"),
            "state": isFiring ? "alerting" : "ok", "message": "See the alert.",
        ]
    }
}
