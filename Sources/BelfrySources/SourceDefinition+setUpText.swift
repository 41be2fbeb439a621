public import BelfryCore

/// What a set-up text is written from.
struct SetUp: Sendable {
    let source: SourceDefinition
    let url: String
    /// A secret to give to the sender, or words that stand for it.
    let secret: String
}

extension SourceDefinition {
    /// How to set up the sender of this source, in lines of at most 120 columns: what `belfry sources show` prints.
    /// - Parameters:
    ///   - url: where it posts to, `https://hub.example/hooks/NAME`.
    ///   - secret: the secret to show; nil where it must not be shown or is not known.
    public func setUpText(url: String, secret: Secret?) -> String {
        let words = secrets.first.map { "<the value of \($0)>" } ?? "<secret>"
        let setUp = SetUp(source: self, url: url, secret: secret?.text ?? words)
        return (preset.traits.setUp(setUp) + challengeLines + addressLines(url)).joined(separator: "\n")
    }

    /// What is said of the GET by which some senders verify the URL.
    private var challengeLines: [String] {
        guard let challenge else { return [] }
        return ["The sender may verify the URL: a GET with \(challenge.parameter) is answered with its value"]
            + (challenge.tokenParameter.map { ["if its \($0) (verify token) is one of the source's secrets."] } ?? [])
    }

    /// A URL of this machine is of no use to a sender elsewhere.
    private func addressLines(_ url: String) -> [String] {
        let isLocal = ["127.", "localhost", "[::1]", "0.0.0.0"].contains { url.hasPrefix("http://\($0)") }
        guard isLocal, preset.needsSecret else { return [] }
        return [
            "This URL works on this machine alone. For senders elsewhere, start the hub with --public-url URL."
        ]
    }
}

extension Preset {
    /// Whether a source of this preset verifies with a secret.
    public var needsSecret: Bool { traits.scheme(SourceDefinition(name: rawValue, preset: self)).needsSecret }

    /// What the preset is for, in one line.
    public var about: String {
        switch self {
        case .github: "GitHub webhooks: HMAC-SHA256, one event per delivery"
        case .gitlab: "GitLab webhooks: a token, one event per delivery"
        case .stripe: "Stripe webhooks: HMAC-SHA256 with a signed time, one event per delivery"
        case .slack: "Slack apps: events, buttons and slash commands, HMAC-SHA256 with a signed time"
        case .standardWebhooks: "senders that follow Standard Webhooks: HMAC-SHA256 or Ed25519, signed id and time"
        case .svix: "senders that use Svix' own header names: like standard-webhooks"
        case .grafana: "Grafana alerting: HMAC-SHA256, one event per alert"
        case .cloudevents: "CloudEvents 1.0 in binary, structured and batch mode: Bearer"
        case .alertmanager: "Prometheus Alertmanager: Bearer or Basic, one event per alert"
        case .sensor: "device readings: Bearer or HMAC, an object, an array or one per line"
        case .hmac: "any sender that signs with an HMAC: header, content and encoding are configured"
        case .token: "any sender that carries a shared secret in a header"
        case .none: "this machine only, nothing is verified"
        }
    }
}
