import BelfryCore

extension PresetTraits {
    /// Grafana's webhook contact point (grafana.com/docs, "Webhook notifier"): one event per alert, like Alertmanager's.
    static let grafana = PresetTraits(
        scheme: { source in HMACScheme(settings: source.signature ?? .grafana()) },
        keptHeaders: ["content-type", "user-agent"],
        normalise: { (delivery) throws(BelfryError) in .events(try AlertGroup.events(of: delivery)) },
        setUp: { setUp in
            let signature = setUp.source.signature ?? .grafana()
            return [
                "In Grafana: Alerting, Contact points, Add contact point, Integration: Webhook.",
                "  URL                                  \(setUp.url)",
                "Under Optional Webhook settings, HMAC Signature:",
                "  Secret                               \(setUp.secret)",
                "  Header                               \(signature.header)",
                "  Timestamp Header                     "
                    + (signature.timestampHeader
                        ?? "leave it empty, or as the source's document says: signature: {header, timestamp}"),
                "Each alert becomes one event. A repeat of the same alert is a duplicate.",
            ]
        }
    )
}
