public import BelfryCore
import BelfryCrypto

/// Which matches of a rule belong together: the values of its `by` in one event.
public struct GroupKey: Sendable, Hashable {
    /// Canonical JSON of the list of values, numbers in one form each; of a list over ``Limits/groupKeyBytesMax`` its
    /// digest.
    public let bytes: [UInt8]
    /// The values as they were written, as JSON; of a list that is too long one text, cut.
    public let values: RawJSON

    public init(_ values: [JSONValue]) {
        let written = JSONValue.array(values).canonicalEncoded()
        let canonical = JSONValue.array(values).withNormalizedNumbers.canonicalEncoded()
        bytes =
            canonical.count <= Limits.groupKeyBytesMax
            ? canonical : Array("sha256:\(Hex.encode(Digest.sha256(canonical)))".utf8)
        if written.count <= Limits.groupKeyBytesMax {
            self.values = RawJSON(trusted: written)
        } else {
            let beginning = String(decoding: written.prefix(Limits.groupKeyBytesMax), as: UTF8.self)
            self.values = RawJSON([.string(beginning + "…")])
        }
    }
}

extension JSONValue {
    /// A number is one value however it is written, as in patterns.
    fileprivate var withNormalizedNumbers: JSONValue {
        switch self {
        case .number(let number): .number(number.normalized)
        case .array(let elements): .array(elements.map(\.withNormalizedNumbers))
        case .object(let object):
            .object(
                JSONObject(
                    object.members.map {
                        JSONObject.Member(key: $0.key, value: $0.value.withNormalizedNumbers)
                    }))
        case .null, .bool, .string: self
        }
    }
}

/// What a match brings into its group.
public struct GroupMembership: Sendable, Hashable {
    public var key: GroupKey
    /// Nil for a rule without `group`: then the key only leads from what resolves to the runs that it ends.
    public var policy: GroupPolicy?
    /// The alert that fires, where a group is resolved with the last of them.
    public var subject: String?
    /// The numbers of the payload (``GroupNumbers``).
    public var numbers: RawJSON

    public init(key: GroupKey, policy: GroupPolicy? = nil, subject: String? = nil, numbers: RawJSON = RawJSON([:])) {
        self.key = key
        self.policy = policy
        self.subject = subject
        self.numbers = numbers
    }
}

/// A group, as the matches in it tell of it.
public struct GroupSummary: Sendable, Hashable {
    public var id: GroupID
    public var rule: String
    /// The values of `by`.
    public var values: RawJSON
    public var count: Int64
    /// When its first and its last event were received.
    public var first: Timestamp
    public var last: Timestamp
    /// When the hub looks at it again.
    public var due: Timestamp?
    public var run: RunID?
    /// What became of a group that has started nothing; nil while it may, and if it has a run.
    public var outcome: Outcome?
    /// Why, for a person.
    public var detail: String?
    /// When it was over; nil while it is open.
    public var closed: Timestamp?
}

/// A group with what templates see of it.
public struct GroupRecord: Sendable {
    public var summary: GroupSummary
    /// Least and greatest of each number of the payload, in its shape.
    public var least: RawJSON
    public var greatest: RawJSON
    /// The first and the last events, each once, in their order.
    public var sample: [EventID]
    public var lastEvent: EventID
}
