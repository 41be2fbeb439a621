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
            name: name, preset: row.preset, headers: [("Content-Type", "application/json")] + row.headers,
            body: row.body(now).encoded()
        )
    }

    private struct Row: Sendable {
        let name: String
        let preset: Preset
        var headers: [(name: String, value: String)] = []
        let body: @Sendable (Timestamp) -> JSONValue

        static func github(_ name: String, event: String, _ body: @escaping @Sendable (Timestamp) -> JSONValue) -> Row {
            let headers = [
                ("User-Agent", "GitHub-Hookshot/0000000"), ("X-GitHub-Event", event), ("X-GitHub-Hook-ID", "440044001"),
                ("X-GitHub-Hook-Installation-Target-ID", "710071007"),
                ("X-GitHub-Hook-Installation-Target-Type", "repository"),
            ]
            return Row(name: name, preset: .github, headers: headers, body: body)
        }
    }

    private static let rows: [Row] = [
        .github("github-issues", event: "issues", GitHubSamples.issues),
        .github("github-push", event: "push", GitHubSamples.push),
        .github("github-pull-request", event: "pull_request", GitHubSamples.pullRequest),
        .github("github-ping", event: "ping", GitHubSamples.ping),
        Row(name: "standard-webhooks", preset: .standardWebhooks, body: OtherSamples.invoiceFailed),
        Row(
            name: "alertmanager-firing", preset: .alertmanager, headers: [("User-Agent", "Alertmanager/0.25.0")],
            body: { OtherSamples.alerts(isFiring: true, now: $0) }
        ),
        Row(
            name: "alertmanager-resolved", preset: .alertmanager, headers: [("User-Agent", "Alertmanager/0.25.0")],
            body: { OtherSamples.alerts(isFiring: false, now: $0) }
        ),
        Row(name: "sensor-reading", preset: .sensor, body: { OtherSamples.reading(celsius: 96.5, now: $0) }),
        Row(name: "sensor-normal", preset: .sensor, body: { OtherSamples.reading(celsius: 71.25, now: $0) }),
        Row(name: "hmac", preset: .hmac, body: OtherSamples.deployment),
        Row(name: "token", preset: .token, body: OtherSamples.deployment),
        Row(name: "none", preset: .none, body: OtherSamples.deployment),
    ]
}
