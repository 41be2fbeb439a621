public import BelfryCore

/// How often a step is tried again after a failure, also one by which the hub's own end interrupted it.
public struct RetryPolicy: Sendable, Hashable {
    /// Further attempts after the first.
    public var times: Int
    /// Before the second attempt. It doubles with each further one up to ``Limits/stepRetryPauseMax``, and half of it is
    /// random.
    public var pause: Duration

    public init(times: Int, pause: Duration = Limits.stepRetryPauseDefault) {
        self.times = times
        self.pause = pause
    }
}
