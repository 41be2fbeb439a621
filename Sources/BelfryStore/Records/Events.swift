public import BelfryCore

/// An event as a list shows it: all but headers and payload.
public struct EventSummary: Sendable, Hashable {
    /// Order of storage.
    public var sequence: Int64
    public var id: EventID
    public var source: String
    public var origin: String?
    public var key: String?
    public var type: String
    public var subject: String?
    public var time: Timestamp
    public var received: Timestamp
    /// Runs that led to it.
    public var hops: Int
    public var remote: String
    public var status: EventStatus
    /// Name of the secret that verified its delivery.
    public var verifiedBy: String?
    /// The rule set it was last matched with.
    public var ruleSetVersion: Int64
    /// The event whose body came again under this one's unsigned key.
    public var sameBodyAs: EventID?
    public var runs: [RunID]
    /// Where it was counted, rule by rule, at its last matching.
    public var groups: [GroupSummary]
}

/// A stored event, whole.
public struct EventRecord: Sendable, Hashable {
    public var summary: EventSummary
    public var event: Event
}

/// One match of an event and its outcome: a row that `why` reads.
public struct MatchRecord: Sendable, Hashable {
    public var event: EventID
    /// 0 for the first matching; each redelivery that is matched again counts one up. The last one is what holds.
    public var round: Int
    public var rule: String
    public var ruleVersion: Int64
    public var outcome: Outcome
    public var run: RunID?
    /// Why, for a person: the limit, who paused.
    public var detail: String?
    public var time: Timestamp
    /// The group it was counted in. What became of the group is the outcome of all its matches.
    public var group: GroupSummary?
    /// How its run ended; nil: it has none, or it has not ended.
    public var end: RunEnd?
}

/// How a run ended.
public struct RunEnd: Sendable, Hashable {
    public var state: RunState
    public var reason: EndReason?
    public var error: StoredError?
}

/// Which events a list shows.
public struct EventFilter: Sendable, Hashable {
    public var source: String?
    public var type: String?
    public var status: EventStatus?

    public init(source: String? = nil, type: String? = nil, status: EventStatus? = nil) {
        self.source = source
        self.type = type
        self.status = status
    }
}

/// One page of a list, newest first.
public struct Page<Item: Sendable>: Sendable {
    public var items: [Item]
    /// Hand it in to get the next page; nil at the end.
    public var next: String?

    public init(items: [Item], next: String? = nil) {
        self.items = items
        self.next = next
    }
}

/// What a source has received.
public struct SourceActivity: Sendable, Hashable {
    public var source: String
    public var lastEvent: Timestamp?
    /// Refused deliveries of the last hour.
    public var refusals: Int64
}

/// Refused deliveries of one source, reason and minute.
public struct RefusalRecord: Sendable, Hashable {
    public var source: String
    public var code: String
    public var minute: Timestamp
    public var count: Int64
    /// The peer of the last one.
    public var remote: String
}
