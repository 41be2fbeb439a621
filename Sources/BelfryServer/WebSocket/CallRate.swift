import BelfryCore
import NIOCore

/// How often a connection may call: so many at once, then so many a second. A bucket of tokens, kept as the moment at
/// which it will be full again. A refused call takes one too, so who does not wait waits longer, and who goes on is
/// closed.
struct CallRate {
    enum Verdict: Equatable {
        case allowed
        /// Refused; the next one is allowed after this time.
        case wait(Duration)
        /// Refused, like far too many before it.
        case abuse
    }

    private static let interval = TimeAmount.nanoseconds(1_000_000_000 / Limits.webSocketCallsPerSecond)
    private var full = NIODeadline.uptimeNanoseconds(0)

    mutating func take(at now: NIODeadline) -> Verdict {
        full = max(full, now) + Self.interval
        let excess = (full - now) - Self.interval * Int(Limits.webSocketCallBurst)
        if excess <= .zero { return .allowed }
        if excess > Self.interval * Int(Limits.webSocketCallDebtMax) { return .abuse }
        return .wait(.nanoseconds(excess.nanoseconds))
    }
}
