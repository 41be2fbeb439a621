import BelfryCore
import BelfryCrypto

/// Stripe's `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>…]` (docs.stripe.com/webhooks/signatures): HMAC-SHA256 of
/// `t.body`, keyed with the whole `whsec_…` text. Read more strictly than Stripe's own libraries do: one `t` of digits
/// alone, no spaces, not from the future, and no scheme but `v1`.
struct StripeScheme: VerificationScheme {
    private static let header = "stripe-signature"

    var confidentialHeaders: [String] { [Self.header] }

    func verify(
        _ delivery: Delivery, secrets: [NamedSecret], tolerance: Duration
    ) throws(BelfryError) -> Verification {
        let line = try delivery.headers.theOnly(Self.header, orRefuse: .signatureMissing, .signatureInvalid)
        let (timestamp, codes) = try Self.parts(of: line)
        let content = Self.content(timestamp.text, delivery.body)
        let matching = secrets.first { secret in
            let expected = HMAC.code(.sha256, key: secret.secret.bytes, content)
            return codes.contains { ConstantTime.areEqual($0, expected) }
        }
        guard let matching else {
            throw BelfryError(
                .signatureInvalid,
                codes.isEmpty
                    ? "the header \(Self.header) holds no signature v1=<hex>"
                    : "no active secret makes a signature in \(Self.header); give the source the signing secret "
                        + "(whsec_…) of this very endpoint, and pass the raw body on"
            )
        }
        try timestamp.check(now: delivery.received, tolerance: tolerance)
        return Verification(verifiedBy: matching.name, isBodySigned: true)
    }

    func sign(_ body: [UInt8], secret: Secret, id: String, now: Timestamp) -> [(name: String, value: String)] {
        let timestamp = String(now.seconds)
        let code = HMAC.code(.sha256, key: secret.bytes, Self.content(timestamp, body))
        return [("Stripe-Signature", "t=\(timestamp),v1=\(Hex.encode(code))")]
    }

    /// The one time and the signatures of the header's line.
    private static func parts(of line: String) throws(BelfryError) -> (SignedTimestamp, [[UInt8]]) {
        // Of each signature there may be one of a scheme that is not read.
        let partsMax = 1 + 2 * Limits.signaturesPerDeliveryMax
        let parts = line.utf8.split(separator: UInt8(ascii: ","), maxSplits: partsMax)
        guard parts.count <= partsMax else {
            throw BelfryError(.signatureInvalid, "the header \(header) has more than \(partsMax) parts")
        }
        let times = parts.filter { $0.starts(with: "t=".utf8) }
        guard times.count == 1 else {
            throw BelfryError(
                times.isEmpty ? .signatureMissing : .signatureInvalid,
                "the header \(header) must hold one time t=<seconds>, and holds \(times.count)")
        }
        let timestamp = try SignedTimestamp(String(Substring(times[0].dropFirst(2))), in: header)
        let codes = parts.filter { $0.starts(with: "v1=".utf8) }.prefix(Limits.signaturesPerDeliveryMax)
            .compactMap { Hex.decode(Substring($0.dropFirst(3))) }
        return (timestamp, codes)
    }

    private static func content(_ timestamp: String, _ body: [UInt8]) -> [[UInt8]] {
        [Array("\(timestamp).".utf8), body]
    }
}
