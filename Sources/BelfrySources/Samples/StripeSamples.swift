import BelfryCore

/// Events about one customer's invoice.
enum StripeSamples {
    static func invoice(isPaid: Bool, now: Timestamp) -> JSONValue {
        [
            "id": .string("evt_1Belfry\(now.milliseconds)"),
            "object": "event",
            "api_version": "2025-03-31.basil",
            "created": .int(now.seconds),
            "type": isPaid ? "invoice.paid" : "invoice.payment_failed",
            "livemode": false,
            "pending_webhooks": 1,
            "request": ["id": nil, "idempotency_key": nil],
            "data": ["object": object(isPaid: isPaid, now: now)],
        ]
    }

    private static func object(isPaid: Bool, now: Timestamp) -> JSONValue {
        [
            "id": "in_1BelfryHarbour2048", "object": "invoice", "number": "HARBOUR-2048",
            "status": isPaid ? "paid" : "open",
            "billing_reason": "subscription_cycle", "collection_method": "charge_automatically",
            "currency": "eur", "amount_due": 12_900, "amount_paid": isPaid ? 12_900 : 0,
            "amount_remaining": isPaid ? 0 : 12_900,
            "attempt_count": isPaid ? 1 : 2, "attempted": true,
            "next_payment_attempt": isPaid ? nil : .int(now.seconds + 3 * 86_400),
            "customer": "cus_1BelfryLantern", "customer_name": "Lantern & Daughters",
            "customer_email": "accounts@lantern.example",
            "hosted_invoice_url": "https://invoice.stripe.example/i/acct_1Belfry/test_2048",
            "last_finalization_error": nil,
            "lines": [
                "object": "list", "total_count": 1, "has_more": false,
                "data": [
                    [
                        "id": "il_1Belfry2048", "object": "line_item", "amount": 12_900, "currency": "eur",
                        "description": "3 × Harbour checkout, team plan (per seat)", "quantity": 3,
                        "period": ["start": .int(now.seconds - 30 * 86_400), "end": .int(now.seconds)],
                    ]
                ],
            ],
            "metadata": ["account_manager": "mira-b"],
        ]
    }
}
