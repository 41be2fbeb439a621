import BelfryCore

extension PresetTraits {
    /// Any sender that follows Standard Webhooks.
    static let standardWebhooks = PresetTraits(
        scheme: { _ in StandardWebhooksScheme(headerPrefix: "webhook") },
        keptHeaders: ["content-type", "user-agent", "webhook-id", "webhook-timestamp"],
        normalise: { (delivery) throws(BelfryError) in try StandardWebhooksPreset.read(delivery, idHeader: "webhook-id")
        },
        setUp: { setUp in
            [
                "At the sender, add an endpoint:",
                "  URL      \(setUp.url)",
                "  Secret   \(setUp.secret)",
                "Where the sender makes the secret (whsec_… or, for Ed25519, whpk_…), save it to a file F, then:",
                "  belfry sources rotate \(setUp.source.name) --secret-file F",
            ]
        }
    )
}

enum StandardWebhooksPreset {
    private static let paths = JSONPaths(["type", "timestamp"])

    static func read(_ delivery: VerifiedDelivery, idHeader: String) throws(BelfryError) -> PresetTraits.Reading {
        let payload = try delivery.json(paths)
        return .events([
            IncomingEvent(
                key: try delivery.requiredHeader(idHeader), isKeySigned: true,
                type: payload.string("type").flatMap { $0.isEmpty ? nil : $0 } ?? DefaultType.webhook,
                time: payload.string("timestamp").flatMap { Timestamp($0) }, data: payload.json
            )
        ])
    }
}

/// The type of an event whose sender says none.
enum DefaultType {
    static let webhook = "webhook"
}
