extension Duration {
    /// The pause before another try: it doubles with each, up to `bound`, and half of it is random, so that what failed
    /// together does not come back together.
    ///
    /// - Parameters:
    ///   - times: how often it doubles, from 0.
    ///   - random: from 0 up to 1.
    public func doubled(_ times: Int, max bound: Duration, random: Double) -> Duration {
        let full = min(self * (1 << min(times, 16)), bound)
        return full / 2 + full / 2 * random
    }
}
