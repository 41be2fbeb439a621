public import BelfryCore
import BelfryCrypto

extension Preset {
    /// A new random secret in the form that senders of this preset take: 256 bits.
    public func makeSecret() -> Secret {
        let bytes = Random.bytes(32)
        return switch self {
        case .standardWebhooks: Secret("whsec_" + Base64.encode(bytes))
        case .github, .alertmanager, .sensor, .hmac, .token, .none: Secret(Hex.encode(bytes))
        }
    }
}
