import BelfryCore

/// One caller's piece of a batch: what it does inside the transaction, and how its caller learns of the end.
struct WriteOperation: Sendable {
    /// Payload it holds while it waits.
    var bytes: Int
    /// Nothing but tokens: such operations wait for company (``Limits/deltaCommitInterval``).
    var isDelta: Bool
    /// Runs in its own savepoint; returns what tells the caller of success, once the commit is on disk.
    var perform: @Sendable (WriteTransaction) throws -> @Sendable () -> Void
    /// Tells the caller of failure.
    var fail: @Sendable (BelfryError) -> Void
}
