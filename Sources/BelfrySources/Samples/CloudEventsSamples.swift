import BelfryCore

/// A cold store's controller that reports over a gateway.
enum CloudEventsSamples {
    private static let source = "//gateway-2.plant.example/cold-store/7"

    /// Of binary mode; the id is the sender's to add.
    @Sendable static func headers(now: Timestamp) -> [(name: String, value: String)] {
        [
            ("ce-specversion", "1.0"), ("ce-type", "example.plant.device.alert"), ("ce-source", source),
            ("ce-subject", "freezer-7"), ("ce-time", now.description), ("ce-site", "plant-north"),
        ]
    }

    static func alert(celsius: Double) -> JSONValue {
        [
            "device": "freezer-7", "severity": "critical", "celsius": .double(celsius), "limit_celsius": -15,
            "minutes_above_limit": 25, "door": "closed", "compressor": "running",
            "message": "The temperature has been above the limit for 25 minutes.",
        ]
    }

    /// Of structured mode and of batches; below the limit.
    static func event(_ index: Int, celsius: Double, now: Timestamp) -> JSONValue {
        [
            "specversion": "1.0", "id": .string("r-\(now.milliseconds)-\(index)"), "source": .string(source),
            "type": "example.plant.device.reading", "subject": "freezer-7", "time": .string(now.description),
            "site": "plant-north", "datacontenttype": "application/json",
            "data": ["device": "freezer-7", "celsius": .double(celsius), "limit_celsius": -15],
        ]
    }
}
