public import BelfryCore
import BelfryCrypto

extension Preset {
    /// A new random secret in the form that senders of this preset take: 256 bits.
    public func makeSecret() -> Secret {
        let bytes = Random.bytes(32)
        return switch self {
        case .standardWebhooks, .svix: Secret("whsec_" + Base64.encode(bytes))
        case .stripe: Secret("whsec_" + Hex.encode(bytes))
        case .github, .gitlab, .slack, .grafana, .alertmanager, .cloudevents, .sensor, .hmac, .token, .none:
            Secret(Hex.encode(bytes))
        }
    }
}
