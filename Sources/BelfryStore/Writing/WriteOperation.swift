import BelfryCore

/// One caller's piece of a batch: what it does inside the transaction, and how its caller learns of the end.
struct WriteOperation: Sendable {
    enum Kind: Sendable {
        /// From outside: the first to be refused when too much waits.
        case delivery
        /// The hub's own: a run that is under way must be able to end while deliveries are refused.
        case transition
        /// A frame from outside.
        case publication
        /// Nothing but tokens: waits for company (``Limits/deltaCommitInterval``).
        case delta
    }

    /// Payload it holds while it waits.
    var bytes: Int
    var kind: Kind
    /// Somebody outside waits for the answer and comes again when it has it: it may wait a moment for others of its
    /// kind (``Limits/companyInterval``).
    var isFromOutside: Bool { kind == .delivery || kind == .publication }
    /// Undone alone if it throws; may be run again in another transaction of the same batch. Returns what tells the
    /// caller of success, once the commit is on disk.
    var perform: @Sendable (WriteTransaction) throws -> @Sendable () -> Void
    /// Tells the caller of failure.
    var fail: @Sendable (BelfryError) -> Void
}
