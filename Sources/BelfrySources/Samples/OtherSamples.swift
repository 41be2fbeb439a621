import BelfryCore

/// Bodies of the samples that are small.
enum OtherSamples {
    /// Two alerts of one group, as Alertmanager posts them.
    static func alerts(isFiring: Bool, now: Timestamp) -> JSONValue {
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

    /// A pump's reading; over 90 °C it is overheating.
    static func reading(celsius: Double, now: Timestamp) -> JSONValue {
        [
            "sensor": "pump-7",
            "site": "plant-north",
            "time": .string(now.description),
            "celsius": .double(celsius),
            "bar": .double(4.2),
            "rpm": 1480,
            "battery_percent": 88,
        ]
    }

    static func invoiceFailed(now: Timestamp) -> JSONValue {
        [
            "type": "invoice.payment_failed",
            "timestamp": .string(now.description),
            "data": [
                "invoice": "in_2048",
                "customer": ["id": "cus_77", "name": "Lantern & Daughters", "email": "accounts@lantern.example"],
                "amount_due": 12900,
                "currency": "eur",
                "attempt": 2,
                "reason": "The bank declined the card: insufficient funds.",
            ],
        ]
    }

    static func deployment(now: Timestamp) -> JSONValue {
        [
            "event": "deployment.finished",
            "id": .string("dep-\(now.milliseconds)"),
            "service": "checkout",
            "version": "2.14.0",
            "outcome": "failed",
            "seconds": 312,
            "log": "step 4 of 6: health check of checkout-2 answered 503 three times, rolled back",
        ]
    }
}
