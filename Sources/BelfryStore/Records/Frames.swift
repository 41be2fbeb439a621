public import BelfryCore

/// What one commit made true of the log: handed out in order, before any of its callers is told.
public struct CommittedBatch: Sendable {
    /// In the order of their positions.
    public var frames: [Frame]
    /// The last position of the log.
    public var head: Int64
    /// Runs were queued: the scheduler has something to claim.
    public var hasQueuedRuns: Bool
    /// Documents or switches changed.
    public var hasRuleChanges: Bool
    /// Runs at work that the hub tells to stop.
    public var stops: [RunStop] = []
    /// Runs that wait, and have waited long enough.
    public var wakes: [RunID] = []
    /// The earliest moment that a timer was set to; nil: none was set.
    public var earliestTimer: Timestamp?

    public init(frames: [Frame], head: Int64, hasQueuedRuns: Bool = false, hasRuleChanges: Bool = false) {
        self.frames = frames
        self.head = head
        self.hasQueuedRuns = hasQueuedRuns
        self.hasRuleChanges = hasRuleChanges
    }
}

/// A run at work that the hub tells to stop. Its row says so too: a restart does not forget it.
public struct RunStop: Sendable, Hashable {
    public var run: RunID
    public var reason: EndReason

    public init(run: RunID, reason: EndReason) {
        self.run = run
        self.reason = reason
    }
}

/// A page of the log.
public struct FramePage: Sendable {
    /// In the order of their positions.
    public var frames: [Frame]
    /// Every position up to here was considered: go on after it. May be beyond the last frame of the page.
    public var through: Int64
    /// Topics of which frames behind the page's beginning are gone: for each, up to which position. They may reach
    /// beyond the page.
    public var floors: [Topic: Int64]

    public init(frames: [Frame], through: Int64, floors: [Topic: Int64] = [:]) {
        self.frames = frames
        self.through = through
        self.floors = floors
    }
}

/// Figures for metrics, since the store was opened.
public struct StoreStatistics: Sendable, Hashable {
    public var commits: Int64 = 0
    public var operations: Int64 = 0
    public var failedCommits: Int64 = 0
    public var frames: Int64 = 0
    public var checkpoints: Int64 = 0
    /// Time spent in COMMIT, which is the wait for the disk.
    public var commitDuration: Duration = .zero
    /// Operations waiting now, and the bytes they hold.
    public var operationsWaiting = 0
    public var bytesWaiting = 0
    /// The write-ahead log, in bytes, as of the last commit.
    public var walBytes: Int64 = 0
}
