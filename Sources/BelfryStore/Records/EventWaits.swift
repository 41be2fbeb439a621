public import BelfryCore
import GRDB

/// A step that waits for an event.
public struct EventWaitRecord: Sendable, Hashable {
    /// Its place in the rule, from 0.
    public var step: Int
    public var name: String
    /// ``GroupKey/bytes`` of the values that the event must have.
    public var key: [UInt8]
    /// The event that has come; the run has not taken it yet.
    public var event: EventID?
    /// From when on the events that were stored before are still to be looked at; nil: not asked for, or done.
    public var lookBack: Timestamp?
    /// Sequence of the last event that was stored before the wait began. Set by the store.
    public internal(set) var lastStored: Int64 = 0

    public init(step: Int, name: String, key: GroupKey, lookBack: Timestamp?) {
        self.step = step
        self.name = name
        self.key = key.bytes
        self.lookBack = lookBack
    }

    init(_ row: Row) throws(BelfryError) {
        step = Int(row.int("step"))
        name = row.text("name")
        key = row.bytes("key")
        event = try row.optionalIdentifier("event")
        lookBack = row.optionalTimestamp("look_back")
        lastStored = row.int("stored")
    }
}

/// A version of a rule that runs keep.
public struct RuleVersion: Sendable, Hashable {
    public var rule: String
    public var version: Int64

    public init(rule: String, version: Int64) {
        self.rule = rule
        self.version = version
    }
}
