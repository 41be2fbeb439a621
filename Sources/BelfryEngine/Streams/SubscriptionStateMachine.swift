import BelfryCore

/// Where one subscriber stands in the log, and what is to be done next. Pure: whoever owns it performs the actions.
///
/// ```
///                 page reaches the head
///   catchingUp ────────────────────────▶ live
///     ▲    ▲ └── unwritable ──▶ lagging ◀── unwritable when frames come
///     │    └──── writable ───────┘
///   start                          any ──▶ closed
/// ```
/// It guarantees: every frame after the start is delivered once or the subscription is closed; positions only grow;
/// nothing is delivered while the subscriber is unwritable, so nothing queues up for it.
///
/// Batches and pages are named by the positions they cover, `after < position <= through`. Which of the frames in
/// there fit the topics is the owner's matter. Where topics are added on the way (``rewind(to:head:)``), positions grow
/// from there again, and ``SubscriptionTopics`` says which frames were delivered before.
public struct SubscriptionStateMachine: Sendable, Equatable {
    public enum State: Sendable, Equatable {
        /// Everything up to `cursor` was considered; more is in the log.
        case catchingUp(cursor: Int64, isReading: Bool)
        /// Batches are delivered as they come, but for frames at or before `from`.
        case live(from: Int64)
        /// Unwritable; everything up to `cursor` was considered.
        case lagging(cursor: Int64)
        case closed(CloseReason)
    }

    public enum Action: Sendable, Equatable {
        case none
        /// Deliver the frames of this batch or page whose position is greater.
        case deliver(after: Int64)
        /// Read a page of the log after this position and hand it to ``page(through:)``.
        case read(after: Int64)
        case close(CloseReason)
    }

    public private(set) var state: State
    /// Set for a run that has ended: once everything up to here was delivered, the subscription closes.
    public private(set) var end: Int64?
    /// When what an unwritable subscriber has not taken last changed, and to what.
    private var progress: Progress?

    private struct Progress: Sendable, Equatable {
        var untakenBytes: Int
        var since: Duration
    }

    /// - Parameters:
    ///   - cursor: the position after which the subscriber wants frames.
    ///   - end: the last position worth waiting for, if it is known.
    public init(after cursor: Int64, end: Int64? = nil) {
        state = .catchingUp(cursor: cursor, isReading: false)
        self.end = end
    }

    public var isLive: Bool { if case .live = state { true } else { false } }
    public var isLagging: Bool { if case .lagging = state { true } else { false } }

    /// A batch that covers `after < position <= through` was committed.
    ///
    /// Call it only if the batch holds a frame for this subscriber: one that misses nothing stays live.
    /// With `.deliver` every frame of the batch must be offered at once.
    public mutating func batch(after: Int64, isWritable: Bool) -> Action {
        guard case .live(let from) = state else { return .none }
        guard isWritable else {
            state = .lagging(cursor: max(after, from))
            return .none
        }
        return .deliver(after: from)
    }

    /// Goes on after something changed: the start, a delivered page, a delivered batch, or writability.
    /// - Parameter head: the position up to which batches were already handed out.
    public mutating func advance(head: Int64, isWritable: Bool) -> Action {
        if isWritable { progress = nil }
        switch state {
        case .closed: return .none
        case .live(let from):
            return closeIfDone(at: max(from, head))
        case .catchingUp(_, isReading: true): return .none
        case .catchingUp(let cursor, isReading: false), .lagging(let cursor):
            guard isWritable else {
                state = .lagging(cursor: cursor)
                return .none
            }
            guard cursor < head else {
                state = .live(from: cursor)
                return closeIfDone(at: cursor)
            }
            if let end, cursor >= end { return close(.runEnded) }
            state = .catchingUp(cursor: cursor, isReading: true)
            return .read(after: cursor)
        }
    }

    /// Up to here everything was considered. Nil when closed.
    /// - Parameter head: the position up to which batches were already handed out.
    public func cursor(head: Int64) -> Int64? {
        switch state {
        case .live(let from): max(from, head)
        case .catchingUp(let cursor, _), .lagging(let cursor): cursor
        case .closed: nil
        }
    }

    /// Topics came whose frames after `position` are wanted: goes back there if the cursor is past it. A page that is
    /// being read is read again by the owner. Call ``advance(head:isWritable:)`` after it.
    /// - Parameter head: the position up to which batches were already handed out.
    public mutating func rewind(to position: Int64, head: Int64) {
        switch state {
        case .live(let from) where position < max(from, head):
            state = .catchingUp(cursor: position, isReading: false)
        case .catchingUp(let cursor, let isReading):
            state = .catchingUp(cursor: min(cursor, position), isReading: isReading)
        case .lagging(let cursor): state = .lagging(cursor: min(cursor, position))
        case .live, .closed: break
        }
    }

    /// The page that was asked for has come; it covers everything after the cursor up to `through`.
    ///
    /// After `.deliver`, call ``advance(head:isWritable:)``.
    public mutating func page(through: Int64) -> Action {
        guard case .catchingUp(let cursor, isReading: true) = state else { return .none }
        state = .catchingUp(cursor: max(cursor, through), isReading: false)
        return .deliver(after: cursor)
    }

    /// A frame that ends the watched run was delivered; all of that commit stands at or before `head`.
    public mutating func runEnded(head: Int64) {
        end = end ?? head
    }

    /// Time has passed, and the subscriber is unwritable; closes one that takes nothing.
    /// - Parameters:
    ///   - untakenBytes: what its side has not taken of what was delivered; any that it takes is progress.
    ///   - now: a clock that only goes forward.
    public mutating func tick(untakenBytes: Int, now: Duration) -> Action {
        if case .closed = state { return .none }
        guard let last = progress, last.untakenBytes == untakenBytes else {
            progress = Progress(untakenBytes: untakenBytes, since: now)
            return .none
        }
        return now - last.since >= Limits.subscriberStallTimeout ? close(.stalled) : .none
    }

    /// Ends the subscription. The first reason stays.
    public mutating func close(_ reason: CloseReason) -> Action {
        if case .closed = state { return .none }
        state = .closed(reason)
        return .close(reason)
    }

    private mutating func closeIfDone(at position: Int64) -> Action {
        guard let end, position >= end else { return .none }
        return close(.runEnded)
    }
}
