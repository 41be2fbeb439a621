import BelfryCore

/// Whether a quiet connection still lives: asks after a while, gives it up after a longer one. Pure.
struct Liveness<Instant: InstantProtocol> where Instant.Duration == Duration {
    enum Verdict: Equatable { case fine, ping, dead }

    private var heard: Instant
    private var asked: Instant

    init(at now: Instant) { (heard, asked) = (now, now) }

    /// Something came: a frame, a pong, anything.
    mutating func heard(at now: Instant) { (heard, asked) = (now, now) }

    mutating func look(at now: Instant) -> Verdict {
        if heard.duration(to: now) >= Limits.clientSilenceMax { return .dead }
        guard asked.duration(to: now) >= Limits.clientPingInterval else { return .fine }
        asked = now
        return .ping
    }
}
