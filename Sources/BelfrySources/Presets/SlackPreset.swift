import BelfryCore

extension PresetTraits {
    /// Slack apps (docs.slack.dev): the Events API, interactivity and slash commands, all signed alike
    /// (verifying-requests-from-slack). Forms are answered 200 with nothing, which is what Slack wants for a command and
    /// a button: whatever else stood there would be shown to the user.
    static let slack = PresetTraits(
        scheme: { _ in HMACScheme(settings: SlackPreset.signature) },
        accepts: [.json, .form],
        keptHeaders: ["content-type", "user-agent", "x-slack-retry-num", "x-slack-retry-reason"],
        normalise: SlackPreset.read,
        answer: { delivery in MediaType(delivery.headers["content-type"]) == .form ? DeliveryAnswer() : nil },
        setUp: { setUp in
            [
                "At api.slack.com/apps: Create New App (or open yours).",
                "Slack makes the secret. Basic Information, App Credentials, Signing Secret: save it to a file F, then:",
                "  belfry sources rotate \(setUp.source.name) --secret-file F",
                "Only then, because Slack checks the URL at once:",
                "  Event Subscriptions    Request URL \(setUp.url)",
                "                         Subscribe to bot events: app_mention, and what your rules name",
                "  Slash Commands         Request URL \(setUp.url)",
                "  Interactivity          Request URL \(setUp.url)",
                "Install the app and invite it to a channel.",
                "The source takes what is signed with this secret (until you have entered Slack's: one of its own, for tries):",
                "  \(setUp.secret)",
            ]
        }
    )
}

private enum SlackPreset {
    static let signature: SignatureSettings = {
        var settings = SignatureSettings(header: "X-Slack-Signature")
        settings.prefix = "v0="
        settings.content = "v0:{timestamp}:{body}"
        settings.timestampHeader = "X-Slack-Request-Timestamp"
        return settings
    }()

    /// What names a repeated delivery that carries no id is its body, for longer than Slack retries without one.
    private static let bodyWindow = Duration.seconds(600)

    private static let eventPaths = JSONPaths([
        "type", "challenge", "event_id", "event_time", "team_id", "event.type", "event.channel", "event.channel.id",
        "event.channel_id", "event.item.channel",
    ])
    private static let interactionPaths = JSONPaths([
        "type", "trigger_id", "team.id", "channel.id", "container.channel_id",
    ])

    @Sendable static func read(_ delivery: VerifiedDelivery) throws(BelfryError) -> PresetTraits.Reading {
        guard let form = try delivery.form() else { return try event(delivery.json(eventPaths)) }
        if let payload = try form.theOnly("payload") {
            return try interaction(VerifiedDelivery.pick(Array(payload.utf8)[...], interactionPaths))
        }
        // Slack looks at a command's certificate from time to time.
        if try form.theOnly("ssl_check") == "1" { return .answer(DeliveryAnswer()) }
        return try command(form)
    }

    /// Of the Events API: something happened, or the URL is to be verified.
    private static func event(_ payload: PickedJSON) throws(BelfryError) -> PresetTraits.Reading {
        if payload.string("type") == "url_verification" {
            let challenge = try payload.required("challenge")
            guard challenge.utf8.count <= Limits.challengeBytesMax else {
                throw BelfryError(.malformed, "the challenge has more than \(Limits.challengeBytesMax) bytes")
            }
            return .answer(.text(challenge))
        }
        guard let type = payload.nonEmpty("event.type") ?? payload.nonEmpty("type") else {
            throw BelfryError(.missingAttribute, "the body has no `event.type` and no `type`")
        }
        return one(
            key: payload.nonEmpty("event_id"), team: payload.nonEmpty("team_id"), type: type,
            channel: payload.nonEmpty("event.channel") ?? payload.nonEmpty("event.channel.id")
                ?? payload.nonEmpty("event.channel_id") ?? payload.nonEmpty("event.item.channel"),
            time: payload.scalar("event_time").flatMap { Timestamp(reading: $0) }, data: payload.json
        )
    }

    /// A button, a menu, a shortcut, a dialog.
    private static func interaction(_ payload: PickedJSON) throws(BelfryError) -> PresetTraits.Reading {
        one(
            key: payload.nonEmpty("trigger_id"), team: payload.nonEmpty("team.id"), type: try payload.required("type"),
            channel: payload.nonEmpty("channel.id") ?? payload.nonEmpty("container.channel_id"), data: payload.json
        )
    }

    private static func command(_ form: FormFields) throws(BelfryError) -> PresetTraits.Reading {
        guard let command = try form.theOnly("command"), !command.isEmpty else {
            throw BelfryError(.missingAttribute, "the form has no field `payload` and no field `command`")
        }
        // The old verification token is a secret of the app that proves nothing here.
        let data = RawJSON(.object(form.object(without: ["token"])))
        return one(
            key: try form.theOnly("trigger_id").flatMap { $0.isEmpty ? nil : $0 }, team: try form.theOnly("team_id"),
            type: "slash_command", channel: try form.theOnly("channel_id"), data: data
        )
    }

    private static func one(
        key: String?, team: String?, type: String, channel: String?, time: Timestamp? = nil, data: RawJSON
    ) -> PresetTraits.Reading {
        .events([
            IncomingEvent(
                origin: team, key: key ?? BodyIdentity.key(of: data), keyWindow: key == nil ? bodyWindow : nil,
                isKeySigned: true, type: type, subject: channel, time: time, data: data
            )
        ])
    }
}
