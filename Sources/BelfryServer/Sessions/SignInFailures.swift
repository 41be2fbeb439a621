import BelfryCore
import Synchronization

/// How often each address has failed to sign in within the current minute: who goes on is told to wait. A code or token
/// that is good is taken all the same. They can't be guessed, and behind a proxy all browsers have one address: whoever
/// fails there on purpose must not keep the others out.
final class SignInFailures: Sendable {
    private struct Window {
        var began: Timestamp?
        var counts: [String: Int] = [:]

        mutating func roll(to now: Timestamp) {
            if let began, now >= began, now - began < Limits.signInFailureWindow { return }
            began = now
            counts = [:]
        }

        /// Past the number of addresses that are kept, all others share one count.
        func key(_ address: String) -> String {
            counts[address] != nil || counts.count < Limits.signInAddressesMax ? address : ""
        }
    }

    private let window = Mutex(Window())

    /// - Throws: `too_many_requests` if the address has failed too often.
    func note(_ address: String, at now: Timestamp) throws(BelfryError) {
        let count = window.withLock { window in
            window.roll(to: now)
            let key = window.key(address)
            window.counts[key, default: 0] += 1
            return window.counts[key] ?? 0
        }
        guard count <= Limits.signInFailuresMax else {
            throw BelfryError(
                .tooManyRequests, "too many attempts to sign in; try again in a minute",
                retryAfter: Limits.signInFailureWindow
            )
        }
    }
}
