public import BelfryCore

/// A realistic delivery to try a source with: `belfry send`, the tests, the first run. All names in it are made up.
public struct SampleDelivery: Sendable {
    public let name: String
    public let preset: Preset
    /// What the sender says beside what verifies and identifies the delivery (``DeliverySigner``).
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]

    /// Every sample's name, grouped by preset.
    public static let names = rows.map(\.name)

    /// The names of one preset's samples; the first is the one to try.
    public static func names(for preset: Preset) -> [String] {
        rows.filter { $0.preset == preset }.map(\.name)
    }

    /// A sample as it would be sent at `now`; nil for an unknown name.
    public static func named(_ name: String, now: Timestamp = WallClock.system.now()) -> SampleDelivery? {
        guard let row = rows.first(where: { $0.name == name }) else { return nil }
        return SampleDelivery(
            name: name, preset: row.preset, headers: [("Content-Type", row.contentType)] + row.headers(now),
            body: row.body(now)
        )
    }

    private struct Row: Sendable {
        let name: String
        let preset: Preset
        let contentType: String
        let headers: @Sendable (Timestamp) -> [(name: String, value: String)]
        let body: @Sendable (Timestamp) -> [UInt8]

        /// A JSON body.
        init(
            _ name: String, _ preset: Preset, contentType: String = "application/json",
            headers: [(name: String, value: String)] = [], _ body: @escaping @Sendable (Timestamp) -> JSONValue
        ) {
            self.name = name
            self.preset = preset
            self.contentType = contentType
            self.headers = { _ in headers }
            self.body = { body($0).encoded() }
        }

        /// A body of another kind, or headers that hold the time.
        init(
            _ name: String, _ preset: Preset, contentType: String,
            timedHeaders: @escaping @Sendable (Timestamp) -> [(name: String, value: String)],
            body: @escaping @Sendable (Timestamp) -> [UInt8]
        ) {
            self.name = name
            self.preset = preset
            self.contentType = contentType
            headers = timedHeaders
            self.body = body
        }

        static func github(_ name: String, event: String, _ body: @escaping @Sendable (Timestamp) -> JSONValue) -> Row {
            let headers = [
                ("User-Agent", "GitHub-Hookshot/0000000"), ("X-GitHub-Event", event), ("X-GitHub-Hook-ID", "440044001"),
                ("X-GitHub-Hook-Installation-Target-ID", "710071007"),
                ("X-GitHub-Hook-Installation-Target-Type", "repository"),
            ]
            return Row(name, .github, headers: headers, body)
        }

        static func gitlab(_ name: String, event: String, _ body: @escaping @Sendable (Timestamp) -> JSONValue) -> Row {
            let headers = [
                ("User-Agent", "GitLab/17.5.0"), ("X-Gitlab-Event", event),
                ("X-Gitlab-Instance", "https://gitlab.harbour.example"),
            ]
            return Row(name, .gitlab, headers: headers, body)
        }

        static func stripe(_ name: String, _ body: @escaping @Sendable (Timestamp) -> JSONValue) -> Row {
            let headers = [("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")]
            return Row(name, .stripe, contentType: "application/json; charset=utf-8", headers: headers, body)
        }

        static func slackForm(_ name: String, _ body: @escaping @Sendable (Timestamp) -> String) -> Row {
            Row(
                name, .slack, contentType: "application/x-www-form-urlencoded",
                timedHeaders: { _ in [SlackSamples.userAgent] }, body: { Array(body($0).utf8) })
        }
    }

    private static let rows: [Row] = [
        .github("github-issues", event: "issues", GitHubSamples.issues),
        .github("github-push", event: "push", GitHubSamples.push),
        .github("github-pull-request", event: "pull_request", GitHubSamples.pullRequest),
        .github("github-ping", event: "ping", GitHubSamples.ping),
        .gitlab("gitlab-issue", event: "Issue Hook", GitLabSamples.issue),
        .gitlab("gitlab-push", event: "Push Hook", GitLabSamples.push),
        .stripe("stripe-invoice-failed") { StripeSamples.invoice(isPaid: false, now: $0) },
        .stripe("stripe-invoice-paid") { StripeSamples.invoice(isPaid: true, now: $0) },
        Row("slack-mention", .slack, headers: [SlackSamples.userAgent], SlackSamples.mention),
        .slackForm("slack-command", SlackSamples.command),
        .slackForm("slack-button", SlackSamples.button),
        Row("standard-webhooks", .standardWebhooks, OtherSamples.invoiceFailed),
        Row("svix-user-created", .svix, headers: [("User-Agent", "Svix-Webhooks/1.40")], OtherSamples.userCreated),
        Row("grafana-firing", .grafana, headers: [("User-Agent", "Grafana")]) {
            AlertSamples.grafana(isFiring: true, now: $0)
        },
        Row("grafana-resolved", .grafana, headers: [("User-Agent", "Grafana")]) {
            AlertSamples.grafana(isFiring: false, now: $0)
        },
        Row("alertmanager-firing", .alertmanager, headers: [("User-Agent", "Alertmanager/0.25.0")]) {
            AlertSamples.alertmanager(isFiring: true, now: $0)
        },
        Row("alertmanager-resolved", .alertmanager, headers: [("User-Agent", "Alertmanager/0.25.0")]) {
            AlertSamples.alertmanager(isFiring: false, now: $0)
        },
        Row(
            "cloudevents-device-alert", .cloudevents, contentType: "application/json",
            timedHeaders: CloudEventsSamples.headers, body: { _ in CloudEventsSamples.alert(celsius: -8.5).encoded() }),
        Row("cloudevents-structured", .cloudevents, contentType: "application/cloudevents+json") {
            CloudEventsSamples.event(0, celsius: -18.25, now: $0)
        },
        Row("cloudevents-batch", .cloudevents, contentType: "application/cloudevents-batch+json") { now in
            .array((0..<3).map { CloudEventsSamples.event($0, celsius: -18.25 + Double($0), now: now) })
        },
        Row("sensor-reading", .sensor) { OtherSamples.reading(celsius: 96.5, now: $0) },
        Row("sensor-normal", .sensor) { OtherSamples.reading(celsius: 71.25, now: $0) },
        Row("hmac", .hmac, OtherSamples.deployment),
        Row("token", .token, OtherSamples.deployment),
        Row("none", .none, OtherSamples.deployment),
    ]
}
