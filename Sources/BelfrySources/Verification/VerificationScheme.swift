import BelfryCore

/// A way to prove who sent a delivery. Pure and over raw bytes.
protocol VerificationScheme: Sendable {
    /// Why the source's settings can verify nothing, if so: then everything is refused.
    var fault: String? { get }
    var needsSecret: Bool { get }
    /// Lower-case names of headers that carry credentials.
    var confidentialHeaders: [String] { get }

    /// Whether it would look for the proof of this delivery in `Authorization`.
    func readsAuthorization(of delivery: Delivery) -> Bool

    /// Names the secret that matched, or throws the refusal. `secrets` holds no empty one.
    func verify(
        _ delivery: Delivery, secrets: [NamedSecret], tolerance: Duration
    ) throws(BelfryError) -> Verification

    /// The headers by which ``verify(_:secrets:tolerance:)`` accepts `body`.
    func sign(_ body: [UInt8], secret: Secret, id: String, now: Timestamp) -> [(name: String, value: String)]
}

extension VerificationScheme {
    var fault: String? { nil }
    var needsSecret: Bool { true }
    func readsAuthorization(of delivery: Delivery) -> Bool { false }
}

/// What is known of a delivery that passed.
package struct Verification: Sendable, Hashable {
    /// The name of the secret that matched; nil where there is none.
    package var verifiedBy: String?
    /// Whether the signature is over the whole body.
    package var isBodySigned = false
    /// Lower-case names of the headers that are signed too.
    package var signedHeaders: [String] = []
}

/// The time a sender signed: integer seconds since 1970 that stand in one place, no more than the tolerance from now to
/// either side.
struct SignedTimestamp {
    /// As it was sent: what is signed.
    let text: String
    private let seconds: Int64

    init(header name: String, of delivery: Delivery) throws(BelfryError) {
        try self.init(try delivery.headers.theOnly(name, orRefuse: .signatureMissing, .signatureInvalid), in: name)
    }

    /// - Parameter name: the header that the text stands in.
    init(_ text: String, in name: String) throws(BelfryError) {
        // Eleven digits reach the year 5138 and cannot overflow.
        guard (1...11).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let seconds = Int64(text)
        else {
            throw BelfryError(
                .signatureInvalid, "the time in the header \(name) must be whole seconds since 1970, in digits")
        }
        self.text = text
        self.seconds = seconds
    }

    func check(now: Timestamp, tolerance: Duration) throws(BelfryError) {
        let age = now.seconds - seconds
        guard abs(age) <= tolerance.components.seconds else {
            throw BelfryError(
                .signatureStale,
                "the signed time is \(abs(age)) s \(age > 0 ? "old" : "in the future"); at most "
                    + "\(tolerance.components.seconds) s are allowed. Check both clocks, or send it anew"
            )
        }
    }
}
