import BelfryCore
import BelfryCrypto

/// A shared secret sent as it is: `Authorization: Bearer`, `Authorization: Basic`, or a header of its own.
///
/// It proves who sends, not what is sent: whoever sees one delivery can make others.
struct TokenScheme: VerificationScheme {
    /// The header that carries the token as it is; nil: `Authorization`.
    let header: String?

    private var name: String { header?.lowercased() ?? "authorization" }

    var confidentialHeaders: [String] { ["authorization", name] }

    func readsAuthorization(of delivery: Delivery) -> Bool { name == "authorization" }

    func verify(
        _ delivery: Delivery, secrets: [NamedSecret], tolerance: Duration
    ) throws(BelfryError) -> Verification {
        let value = try delivery.headers.theOnly(
            name, orRefuse: .unauthorized, .unauthorized, hint: "; " + expectation)
        let candidates = header == nil ? credentials(in: value) : [Array(value.utf8)]
        guard !candidates.isEmpty else {
            throw BelfryError(.unauthorized, "the header \(name) is not understood; \(expectation)")
        }
        let matching = secrets.first { secret in
            candidates.contains { ConstantTime.areEqual($0, secret.secret.bytes) }
        }
        guard let matching else {
            throw BelfryError(.unauthorized, "the token in \(name) is none of the source's active secrets")
        }
        return Verification(verifiedBy: matching.name)
    }

    func sign(_ body: [UInt8], secret: Secret, id: String, now: Timestamp) -> [(name: String, value: String)] {
        header.map { [($0, secret.text)] } ?? [("Authorization", "Bearer \(secret.text)")]
    }

    private var expectation: String {
        header == nil
            ? "send `Authorization: Bearer <secret>`, or Basic with the secret as password" : "it carries the secret"
    }

    /// What may be the secret: a Bearer token; of Basic the password, or user and password (RFC 7617).
    private func credentials(in value: String) -> [[UInt8]] {
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return [] }
        let credential = parts[1].drop { $0 == " " }
        switch parts[0].lowercased() {
        case "bearer": return [Array(credential.utf8)]
        case "basic":
            guard let pair = Base64.decode(credential), let colon = pair.firstIndex(of: UInt8(ascii: ":")) else {
                return []
            }
            return [Array(pair[(colon + 1)...]), pair]
        default: return []
        }
    }
}

/// A token or, where the delivery has no `Authorization`, an HMAC: for small devices that can do either.
struct TokenOrHMACScheme: VerificationScheme {
    let token: TokenScheme
    let hmac: HMACScheme

    var fault: String? { hmac.fault }
    var confidentialHeaders: [String] { token.confidentialHeaders + hmac.confidentialHeaders }

    func readsAuthorization(of delivery: Delivery) -> Bool {
        !isSigned(delivery) && token.readsAuthorization(of: delivery)
    }

    private func isSigned(_ delivery: Delivery) -> Bool {
        hmac.confidentialHeaders.contains { delivery.headers[$0] != nil }
    }

    func verify(
        _ delivery: Delivery, secrets: [NamedSecret], tolerance: Duration
    ) throws(BelfryError) -> Verification {
        isSigned(delivery)
            ? try hmac.verify(delivery, secrets: secrets, tolerance: tolerance)
            : try token.verify(delivery, secrets: secrets, tolerance: tolerance)
    }

    func sign(_ body: [UInt8], secret: Secret, id: String, now: Timestamp) -> [(name: String, value: String)] {
        token.sign(body, secret: secret, id: id, now: now)
    }
}

/// No proof at all: only for what runs on the same machine.
struct LoopbackScheme: VerificationScheme {
    var needsSecret: Bool { false }
    var confidentialHeaders: [String] { [] }

    func verify(
        _ delivery: Delivery, secrets: [NamedSecret], tolerance: Duration
    ) throws(BelfryError) -> Verification {
        guard delivery.isLoopback else {
            throw BelfryError(
                .forbidden,
                "this source verifies nothing (preset none), so it takes deliveries from this machine only and not "
                    + "through a proxy; use the preset token or hmac for others"
            )
        }
        return Verification()
    }

    func sign(_ body: [UInt8], secret: Secret, id: String, now: Timestamp) -> [(name: String, value: String)] { [] }
}
