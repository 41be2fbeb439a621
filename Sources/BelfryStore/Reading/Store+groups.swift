public import BelfryCore
import Foundation
import GRDB

extension Store {
    /// The open groups of a rule, newest first.
    public func openGroups(
        of rule: String, cursor: String? = nil, max: Int = Limits.pageRowsDefault
    ) async throws(BelfryError) -> Page<GroupSummary> {
        var query = ListQuery("SELECT * FROM match_groups", order: "sequence")
        try query.start(after: cursor)
        query.require("rule = ?", rule)
        query.require("closed IS NULL")
        let page = try await page(query, max: max, sequence: { $0.sequence }) { row, _ in
            NumberedGroup(sequence: row.int("sequence"), group: try GroupSummary(row))
        }
        return Page(items: page.items.map(\.group), next: page.next)
    }

    /// - Throws: `not_found`.
    public func group(_ id: GroupID) async throws(BelfryError) -> GroupRecord {
        let group = try await read { db -> GroupRecord? in
            try GroupSummary.row(id, in: db).map { row in
                let state = GroupState(row.json("state"))
                return GroupRecord(
                    summary: try GroupSummary(row), least: RawJSON(.object(state.least.members)),
                    greatest: RawJSON(.object(state.greatest.members)), sample: state.sample,
                    lastEvent: try row.identifier("last_event"))
            }
        }
        guard let group else { throw BelfryError(.notFound, "there is no group \(id)") }
        return group
    }

    /// Those of the events that are kept, in the order of `ids`. Long data is not read.
    public func samples(of ids: [EventID]) async throws(BelfryError) -> [EventSample] {
        try await read { db in
            try ids.compactMap { id in
                let sql = """
                    SELECT id, time, subject, iif(length(data) <= ?, data, NULL) AS data FROM events WHERE id = ?
                    """
                let arguments: StatementArguments = [Limits.groupSampleDataMax, id.bytes.blob]
                return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: arguments).map { row in
                    EventSample(
                        id: try row.identifier("id"), time: row.timestamp("time"), subject: row.optionalText("subject"),
                        data: (row["data"] as Data?).map { RawJSON(trusted: [UInt8]($0)) })
                }
            }
        }
    }
}

/// What templates see of an event of a group.
public struct EventSample: Sendable {
    public var id: EventID
    public var time: Timestamp
    public var subject: String?
    /// Nil: it is longer than ``Limits/groupSampleDataMax``.
    public var data: RawJSON?

    init(id: EventID, time: Timestamp, subject: String?, data: RawJSON?) {
        self.id = id
        self.time = time
        self.subject = subject
        self.data = data
    }

    public init(_ event: Event) {
        let isShort = event.data.bytes.count <= Limits.groupSampleDataMax
        self.init(id: event.id, time: event.time, subject: event.subject, data: isShort ? event.data : nil)
    }
}

private struct NumberedGroup: Sendable {
    var sequence: Int64
    var group: GroupSummary
}

extension GroupSummary {
    init(_ row: Row) throws(BelfryError) {
        id = try row.identifier("id")
        rule = row.text("rule")
        values = row.json("shown")
        count = row.int("count")
        first = row.timestamp("opened")
        last = row.timestamp("last")
        due = row.optionalTimestamp("due")
        run = try row.optionalIdentifier("run")
        outcome = row.optionalText("outcome").flatMap(Outcome.init(rawValue:))
        detail = row.optionalText("detail")
        closed = row.optionalTimestamp("closed")
    }

    static func row(_ id: GroupID, in db: Database) throws -> Row? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM match_groups WHERE id = ?"), arguments: [id.bytes.blob])
    }

    static func find(_ id: GroupID, in db: Database) throws -> GroupSummary? {
        try row(id, in: db).map { try GroupSummary($0) }
    }

    /// Of the event's matches in one round, in the order of their rules.
    static func ofEvent(_ sequence: Int64, round: Int64, in db: Database) throws -> [GroupSummary] {
        let sql = """
            SELECT match_groups.* FROM matches JOIN match_groups ON match_groups.id = matches.match_group
            WHERE matches.event = ? AND matches.round = ? ORDER BY matches.rule
            """
        return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [sequence, round]).map {
            try GroupSummary($0)
        }
    }
}
