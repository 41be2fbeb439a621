import BelfryCore

extension PresetTraits {
    /// Stripe's webhooks (docs.stripe.com/webhooks): a signed time, and the event's own id in the body.
    static let stripe = PresetTraits(
        scheme: { _ in StripeScheme() },
        keptHeaders: ["content-type", "user-agent"],
        normalise: StripePreset.read,
        setUp: { setUp in
            [
                "In the Stripe dashboard: Developers, Webhooks, Add destination (or: Add endpoint).",
                "  Endpoint URL   \(setUp.url)",
                "  Events         those that your rules name, for instance invoice.payment_failed",
                "Stripe makes the secret. On the endpoint's page: Signing secret, Reveal, save it to a file F, then:",
                "  belfry sources rotate \(setUp.source.name) --secret-file F",
                "The source takes what is signed with this secret (until you have entered Stripe's: one of its own, for tries):",
                "  \(setUp.secret)",
                "Stripe CLI: stripe listen --forward-to \(setUp.url) prints a secret of its own.",
            ]
        }
    )
}

private enum StripePreset {
    private static let paths = JSONPaths([
        "id", "type", "created", "account", "context", "data.object.id", "related_object.id",
    ])

    @Sendable static func read(_ delivery: VerifiedDelivery) throws(BelfryError) -> PresetTraits.Reading {
        let payload = try delivery.json(paths)
        // A thin event (`v2.core.event`) names its object and writes its time as text.
        return .events([
            IncomingEvent(
                origin: payload.string("account") ?? payload.string("context"), key: try payload.required("id"),
                isKeySigned: true, type: try payload.required("type"),
                subject: payload.string("data.object.id") ?? payload.string("related_object.id"),
                time: payload.scalar("created").flatMap { Timestamp(reading: $0) }, data: payload.json
            )
        ])
    }
}

extension PickedJSON {
    /// The text at a path that a sender always fills.
    func required(_ path: String) throws(BelfryError) -> String {
        guard let value = string(path), !value.isEmpty else {
            throw BelfryError(.missingAttribute, "`\(path)` is missing or no text")
        }
        return value
    }
}
