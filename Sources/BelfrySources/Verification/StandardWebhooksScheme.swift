import BelfryCore
import BelfryCrypto

/// Standard Webhooks (standardwebhooks.com, spec 1.0.1): `id.timestamp.body`, signed with HMAC-SHA256 (`v1`) or Ed25519
/// (`v1a`); any one of the signatures that is right will do.
struct StandardWebhooksScheme: VerificationScheme {
    /// Before `-id`, `-timestamp` and `-signature`: `webhook`; senders of before the standard have their own.
    let headerPrefix: String

    private var idHeader: String { headerPrefix + "-id" }
    private var timestampHeader: String { headerPrefix + "-timestamp" }
    private var signatureHeader: String { headerPrefix + "-signature" }

    var confidentialHeaders: [String] { [signatureHeader] }

    /// A secret as the standard writes it: a prefix that says what it is, and base 64.
    private enum Key {
        case shared([UInt8])
        case publicKey([UInt8])
        /// Only to sign with.
        case seed([UInt8])

        /// Nil for what does not decode, or to nothing: such a secret verifies nothing. No prefix is a shared secret.
        init?(_ secret: Secret) {
            let text = secret.text
            func decoded(_ encoded: some StringProtocol) -> [UInt8]? {
                let padding = String(repeating: "=", count: (4 - encoded.utf8.count % 4) % 4)
                return Base64.decode(String(encoded) + padding).flatMap { $0.isEmpty ? nil : $0 }
            }
            if text.hasPrefix("whpk_") {
                guard let key = decoded(text.dropFirst(5)), key.count == Ed25519.publicKeyBytes else { return nil }
                self = .publicKey(key)
            } else if text.hasPrefix("whsk_") {
                // A private key is the seed, alone or followed by the public key.
                guard let key = decoded(text.dropFirst(5)), key.count == 32 || key.count == 64 else { return nil }
                self = .seed(Array(key[..<Ed25519.seedBytes]))
            } else {
                guard let key = decoded(text.hasPrefix("whsec_") ? text.dropFirst(6) : text[...]) else { return nil }
                self = .shared(key)
            }
        }
    }

    /// Whether a text is a secret in this sense: another verifies nothing.
    static func reads(_ secret: Secret) -> Bool { Key(secret) != nil }

    func verify(
        _ delivery: Delivery, secrets: [NamedSecret], tolerance: Duration
    ) throws(BelfryError) -> Verification {
        let id = try delivery.headers.theOnly(idHeader, orRefuse: .signatureMissing, .signatureInvalid)
        let timestamp = try SignedTimestamp(header: timestampHeader, of: delivery)
        let signatures = delivery.headers.values(signatureHeader).flatMap { $0.split(separator: " ") }
            .prefix(Limits.signaturesPerDeliveryMax)
        guard !signatures.isEmpty else {
            throw BelfryError(.signatureMissing, "the header \(signatureHeader) is missing or empty")
        }
        let shared = signatures.filter { $0.hasPrefix("v1,") }.compactMap { Base64.decode($0.dropFirst(3)) }
        let asymmetric = signatures.filter { $0.hasPrefix("v1a,") }.compactMap { Base64.decode($0.dropFirst(4)) }
        let content = content(id: id, timestamp: timestamp.text, body: delivery.body)
        let matching = secrets.first { secret in
            switch Key(secret.secret) {
            case .shared(let key):
                let expected = HMAC.code(.sha256, key: key, content)
                return shared.contains { ConstantTime.areEqual($0, expected) }
            case .publicKey(let key):
                return asymmetric.contains { Ed25519.isValid(signature: $0, message: content, publicKey: key) }
            case .seed, nil: return false
            }
        }
        guard let matching else {
            throw BelfryError(
                .signatureInvalid,
                "no active secret makes a signature in \(signatureHeader); compare the secrets (whsec_… or whpk_…)"
            )
        }
        try timestamp.check(now: delivery.received, tolerance: tolerance)
        return Verification(
            verifiedBy: matching.name, isBodySigned: true, signedHeaders: [idHeader, timestampHeader]
        )
    }

    func sign(_ body: [UInt8], secret: Secret, id: String, now: Timestamp) -> [(name: String, value: String)] {
        let timestamp = String(now.seconds)
        let content = content(id: id, timestamp: timestamp, body: body)
        let signature: String? =
            switch Key(secret) {
            case .shared(let key): "v1," + Base64.encode(HMAC.code(.sha256, key: key, content))
            case .seed(let seed): Ed25519.sign(message: content, seed: seed).map { "v1a," + Base64.encode($0) }
            case .publicKey, nil: nil
            }
        return unsigned(id: id, now: now) + (signature.map { [(signatureHeader, $0)] } ?? [])
    }

    /// What a message says of itself without a secret.
    func unsigned(id: String, now: Timestamp) -> [(name: String, value: String)] {
        [(idHeader, id), (timestampHeader, String(now.seconds))]
    }

    private func content(id: String, timestamp: String, body: [UInt8]) -> [[UInt8]] {
        [Array("\(id).\(timestamp).".utf8), body]
    }
}
