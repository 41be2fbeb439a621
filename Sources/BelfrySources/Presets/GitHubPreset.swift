import BelfryCore

extension PresetTraits {
    /// GitHub webhooks (docs.github.com/webhooks): HMAC-SHA256 of the body, an id that a redelivery repeats, no time.
    static let github = PresetTraits(
        scheme: { _ in HMACScheme(settings: GitHubPreset.signature) },
        accepts: [.json, .form],
        keptHeaders: [
            "content-type", "user-agent", "x-github-delivery", "x-github-event", "x-github-hook-id",
            "x-github-hook-installation-target-id", "x-github-hook-installation-target-type",
        ],
        normalise: GitHubPreset.read,
        setUp: { setUp in
            [
                "In the repository or organisation: Settings, Webhooks, Add webhook.",
                "  Payload URL    \(setUp.url)",
                "  Content type   application/json",
                "  Secret         \(setUp.secret)",
                "GitHub sends a `ping` at once; it appears in `belfry events list` as type `ping`.",
                "Redeliver sends the same X-GitHub-Delivery: it starts no second run.",
            ]
        },
        sentHeaders: { id in [("X-GitHub-Delivery", id)] }
    )
}

private enum GitHubPreset {
    static let signature: SignatureSettings = {
        var settings = SignatureSettings(header: "X-Hub-Signature-256")
        settings.prefix = "sha256="
        return settings
    }()

    private static let paths = JSONPaths([
        "action", "number", "issue.number", "pull_request.number", "discussion.number", "repository.full_name",
        "organization.login",
    ])

    @Sendable static func read(_ delivery: VerifiedDelivery) throws(BelfryError) -> PresetTraits.Reading {
        let payload = try delivery.jsonOrPayload(paths)
        let event = try delivery.requiredHeader("x-github-event")
        let key = try delivery.requiredHeader("x-github-delivery")
        let action = payload.string("action").flatMap { $0.isEmpty ? nil : $0 }
        let origin = payload.string("repository.full_name") ?? payload.string("organization.login")
        let number =
            payload.scalar("issue.number") ?? payload.scalar("pull_request.number")
            ?? payload.scalar("discussion.number") ?? payload.scalar("number")
        return .events([
            IncomingEvent(
                origin: origin, key: key, type: action.map { "\(event).\($0)" } ?? event,
                subject: origin.map { origin in number.map { "\(origin)#\($0)" } ?? origin }, data: payload.json
            )
        ])
    }
}
