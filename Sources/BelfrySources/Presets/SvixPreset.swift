import BelfryCore

extension PresetTraits {
    /// Senders that use Svix under its own header names (docs.svix.com/receiving/verifying-payloads): the scheme that
    /// became Standard Webhooks.
    static let svix = PresetTraits(
        scheme: { _ in StandardWebhooksScheme(headerPrefix: "svix") },
        keptHeaders: ["content-type", "user-agent", "svix-id", "svix-timestamp"],
        normalise: { (delivery) throws(BelfryError) in try StandardWebhooksPreset.read(delivery, idHeader: "svix-id") },
        setUp: { setUp in
            [
                "In the sender's webhook portal: Endpoints, Add Endpoint.",
                "  Endpoint URL   \(setUp.url)",
                "On the endpoint's page stands its Signing Secret (whsec_…). Save it to a file F, then:",
                "  belfry sources rotate \(setUp.source.name) --secret-file F",
                "The source takes what is signed with this secret (until you have entered the sender's: one of its own, for a",
                "sender that lets you choose):",
                "  \(setUp.secret)",
            ]
        }
    )
}
