import BelfryCore
import Foundation
import GRDB

/// An open group: what the machine decides by, and what is kept beside. Its length does not depend on its events.
struct StoredGroup {
    var id: GroupID
    var rule: String
    var ruleVersion: Int64
    var key: [UInt8]
    var machine: MatchGroup
    var lastEvent: EventID
    var run: RunID?
    var state: GroupState
    /// As the row says it.
    var storedDue: Timestamp?

    init(id: GroupID, match: MatchRequest, key: [UInt8], machine: MatchGroup, event: EventID) {
        self.id = id
        rule = match.rule
        ruleVersion = match.ruleVersion
        self.key = key
        self.machine = machine
        lastEvent = event
        state = GroupState()
    }

    init(_ row: Row) throws {
        id = try row.identifier("id")
        rule = row.text("rule")
        ruleVersion = row.int("rule_version")
        key = row.bytes("key")
        lastEvent = try row.identifier("last_event")
        run = try row.optionalIdentifier("run")
        state = GroupState(row.json("state"))
        storedDue = row.optionalTimestamp("due")
        let phase: MatchGroup.Phase =
            row.optionalTimestamp("run_created").map { .started(at: $0, hasEnded: row.flag("run_ended")) }
            ?? .collecting
        machine = MatchGroup(
            policy: GroupPolicy(stored: row.json("policy").value), phase: phase, opened: row.timestamp("opened"),
            last: row.timestamp("last"), count: row.int("count"))
    }

    /// An event is counted.
    mutating func add(_ event: EventID, _ membership: GroupMembership) {
        lastEvent = event
        state.add(event, numbers: GroupNumbers(of: membership.numbers.value))
    }
}

/// What templates see of a group, beside its counts.
struct GroupState {
    var least = GroupNumbers(of: .null)
    var greatest = GroupNumbers(of: .null)
    var first: [EventID] = []
    var last: [EventID] = []

    init() {}

    init(_ stored: RawJSON) {
        let value = stored.value
        least = GroupNumbers(of: value["min"] ?? .null)
        greatest = GroupNumbers(of: value["max"] ?? .null)
        func ids(_ key: String) -> [EventID] {
            (value[key]?.array ?? []).compactMap { $0.string.flatMap { EventID($0) } }
        }
        first = ids("first")
        last = ids("last")
    }

    var json: RawJSON {
        func ids(_ events: [EventID]) -> JSONValue { .array(events.map { .string($0.description) }) }
        return RawJSON([
            "min": .object(least.members), "max": .object(greatest.members), "first": ids(first), "last": ids(last),
        ])
    }

    /// The first and the last events, each once.
    var sample: [EventID] { first + last.filter { !first.contains($0) } }

    mutating func add(_ event: EventID, numbers: GroupNumbers) {
        least.merge(numbers, keepsGreater: false)
        greatest.merge(numbers, keepsGreater: true)
        if first.count < Limits.groupSampleHalf { first.append(event) }
        last.append(event)
        if last.count > Limits.groupSampleHalf { last.removeFirst() }
    }
}

extension GroupPolicy {
    init(stored: JSONValue) {
        self.init()
        func duration(_ key: String) -> Duration? { stored[key]?.number?.int64.map { .milliseconds($0) } }
        within = duration("within")
        threshold = stored["threshold"]?.number?.int64.map { Int($0) }
        debounce = duration("debounce")
        cooldown = duration("cooldown")
        whileRunning = stored["while_running"]?.string.flatMap(WhileRunning.init(rawValue:)) ?? .join
    }

    /// Durations in milliseconds.
    var json: RawJSON {
        var members: JSONObject = ["while_running": .string(whileRunning.rawValue)]
        members["within"] = within.map { .int($0.milliseconds) }
        members["threshold"] = threshold.map { .int($0) }
        members["debounce"] = debounce.map { .int($0.milliseconds) }
        members["cooldown"] = cooldown.map { .int($0.milliseconds) }
        return RawJSON(.object(members))
    }
}
