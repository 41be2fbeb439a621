public import BelfryCore
import BelfryCrypto
import Synchronization

/// Codes that sign a browser in: each works once, not for long, and is in memory alone. A link that holds one can be
/// shown on a terminal or sent to oneself, where a token could not.
public final class SignInCodes: Sendable {
    private struct Code {
        var maker: Principal
        var expires: Timestamp
    }

    /// By digest, so that the time of a look-up tells nothing of any code.
    private let codes = Mutex<[[UInt8]: Code]>([:])

    public init() {}

    /// A new code, with the role of who makes it.
    /// - Throws: `too_many_requests` if too many wait to be used.
    public func make(
        for maker: Principal, at now: Timestamp
    ) throws(BelfryError) -> (code: Secret, expires: Timestamp) {
        let code = Secret(Hex.encode(Random.bytes(16)))
        let expires = now + Limits.signInCodeLifetime
        try codes.withLock { codes throws(BelfryError) in
            codes = codes.filter { now < $0.value.expires }
            guard codes.count < Limits.signInCodesMax else {
                throw BelfryError(
                    .tooManyRequests, "too many sign-in links wait to be used", retryAfter: Limits.signInCodeLifetime)
            }
            codes[Digest.sha256(code.bytes)] = Code(maker: maker, expires: expires)
        }
        return (code, expires)
    }

    /// Who made this code; nil if there is none, it was used, or it is too old. It works no more.
    func take(_ code: String, at now: Timestamp) -> Principal? {
        guard let taken = codes.withLock({ $0.removeValue(forKey: Digest.sha256(Array(code.utf8))) }) else {
            return nil
        }
        return now < taken.expires ? taken.maker : nil
    }

    /// The link to open in a browser. The code is in its fragment, which no browser sends: no log ever holds it.
    public static func link(base: String, _ code: Secret) -> String { "\(base)/#sign-in=\(code.text)" }
}
