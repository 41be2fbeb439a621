import BelfryCore

/// Bodies of the samples that are small.
enum OtherSamples {
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

    static func userCreated(now: Timestamp) -> JSONValue {
        [
            "type": "user.created",
            "timestamp": .string(now.description),
            "data": [
                "id": "user_2048", "first_name": "Ada", "last_name": "Okonkwo", "plan": "team",
                "email_addresses": [["id": "idn_1", "email_address": "ada@lantern.example", "verified": true]],
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
