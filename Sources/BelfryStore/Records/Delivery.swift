public import BelfryCore

/// A delivery that was verified and matched: what the one transaction takes in.
public struct AcceptedDelivery: Sendable {
    /// Name of our source.
    public var source: String
    /// Address of the peer.
    public var remote: String
    /// Name of the secret that matched; nil where nothing is verified.
    public var verifiedBy: String?
    /// The version of the rule set the matches were found with.
    public var ruleSetVersion: Int64
    /// How far the rules were when the matches were found, as ``RunChange/generation``; nil: not found by a set of rules.
    public var generation: Int?
    /// The events, in the order of the delivery.
    public var items: [Item]
    /// Nil for what the source itself has verified.
    public var published: Published?

    /// What a token speaks for. It may only where the source verifies nobody, so it is stored only while the source's
    /// document is the one that this was read from.
    public struct Published: Sendable, Hashable {
        /// Nil: the source has no document.
        public var documentVersion: Int64?

        public init(documentVersion: Int64?) { self.documentVersion = documentVersion }
    }

    public init(
        source: String, remote: String, verifiedBy: String?, ruleSetVersion: Int64, items: [Item],
        published: Published? = nil
    ) {
        self.source = source
        self.remote = remote
        self.verifiedBy = verifiedBy
        self.ruleSetVersion = ruleSetVersion
        self.items = items
        self.published = published
    }

    /// One event of a delivery, with the rules it matched.
    public struct Item: Sendable {
        public var event: Event
        /// The identity is remembered this long from its first sighting; nil means
        /// ``Limits/identityRetention`` from the last one.
        public var keyWindow: Duration?
        /// SHA-256 of the body, where the body's repetition matters.
        public var bodyDigest: [UInt8]?
        /// Refuse a body that was seen under another, unsigned key, instead of marking the event.
        public var refusesSameBody: Bool
        /// The sender's signature covers the key, so nobody else can put an old body under a new one.
        public var isKeySigned: Bool
        /// W3C trace context that came with the delivery; runs carry it on.
        public var traceparent: String?
        public var matches: [MatchRequest]

        public init(
            event: Event, keyWindow: Duration? = nil, bodyDigest: [UInt8]? = nil, refusesSameBody: Bool = false,
            isKeySigned: Bool = true, traceparent: String? = nil, matches: [MatchRequest] = []
        ) {
            self.event = event
            self.keyWindow = keyWindow
            self.bodyDigest = bodyDigest
            self.refusesSameBody = refusesSameBody
            self.isKeySigned = isKeySigned
            self.traceparent = traceparent
            self.matches = matches
        }
    }
}

/// A rule that an event matched, with what admission needs to know of it.
public struct MatchRequest: Sendable, Hashable {
    public var rule: String
    public var ruleVersion: Int64
    /// `mode: observe`: the match is recorded, nothing runs.
    public var observesOnly: Bool
    /// `notify: true`: the match is also a notice.
    public var notifies = false
    public var limits: RuleLimits
    /// The event satisfies the rule's `resolve`, not its `when`.
    public var resolves = false
    public var onResolved = OnResolved.ignore
    /// The group that the match belongs to; nil: neither `group` nor `resolve` asks for one.
    public var group: GroupMembership?
    /// The wait that the event ends, in runs of this version that are at that step and have the same values; nil: the event
    /// satisfies `when` or `resolve`.
    public var resumes: Resumption?

    /// A step that waits for an event, and the values by which its run knows the event for its own.
    public struct Resumption: Sendable, Hashable {
        /// The step's name.
        public var step: String
        public var key: GroupKey

        public init(step: String, key: GroupKey) {
            self.step = step
            self.key = key
        }
    }

    public init(
        rule: String, ruleVersion: Int64, observesOnly: Bool = false, limits: RuleLimits = RuleLimits()
    ) {
        self.rule = rule
        self.ruleVersion = ruleVersion
        self.observesOnly = observesOnly
        self.limits = limits
    }
}

/// What became of one event of a delivery: what its sender is told.
public struct AcceptedEvent: Sendable, Hashable {
    /// The stored event; of a duplicate the first one.
    public var event: EventID
    public var status: EventStatus
    /// When the same (source, key) came first; nil for a new event.
    public var firstSeen: Timestamp?
    /// The runs the event has started, of a duplicate those of the first.
    public var runs: [RunID]
    /// The runs that waited for it and go on; of each match no more than ``Limits/resumedRunsTold``.
    public var resumed: [RunID]
    /// One per match, in the order of the request, those that nobody waits for left out; empty for a duplicate.
    public var outcomes: [RuleOutcome]
    /// A duplicate whose event has started nothing so far, and might on today's rules: see
    /// ``Store/matchAgain(_:duplicate:of:)``.
    public var mayMatchAgain = false

    public init(
        event: EventID, status: EventStatus, firstSeen: Timestamp? = nil, runs: [RunID] = [], resumed: [RunID] = [],
        outcomes: [RuleOutcome] = []
    ) {
        self.event = event
        self.status = status
        self.firstSeen = firstSeen
        self.runs = runs
        self.resumed = resumed
        self.outcomes = outcomes
    }
}

/// A rule and what became of its match.
public struct RuleOutcome: Sendable, Hashable {
    public var rule: String
    public var outcome: Outcome

    public init(rule: String, outcome: Outcome) {
        self.rule = rule
        self.outcome = outcome
    }
}

/// What an event came to, all its matches together.
public enum EventStatus: String, Sendable, Hashable, CaseIterable {
    /// At least one run.
    case matched
    /// No rule matched.
    case filtered
    /// Stored while its source, its rules or everything was paused.
    case paused
    /// Stored and matched, but nothing began: over a limit, only observed, its rule broken, a loop.
    case accepted
    /// Known already. Only ever an answer, never a stored status.
    case duplicate
}
