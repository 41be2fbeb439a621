import BelfryCore

/// Pauses that double up to a bound; half of each is random, so that a thousand clients do not come back at once.
struct ReconnectPause {
    private var full = Limits.clientPauseFirst

    /// - Parameter random: a number from 0 to 1.
    mutating func next(random: Double) -> Duration {
        defer { full = min(full * 2, Limits.clientPauseMax) }
        return full / 2 + full / 2 * min(max(random, 0), 1)
    }

    /// The pause that a hub which stops asks for in its last frame, CLOSING. Nil: none.
    static func asked(by frame: JSONValue) -> Duration? {
        guard frame["type"]?.string == FrameType.closing.rawValue,
            let milliseconds = frame["data"]?["retry_ms"]?.number?.int64, milliseconds >= 0
        else { return nil }
        return min(.milliseconds(milliseconds), Limits.clientPauseAskedMax)
    }
}
