public import BelfryCore
import Foundation
import GRDB

extension Store {
    /// Events without their payload, newest first.
    public func events(
        _ filter: EventFilter = EventFilter(), cursor: String? = nil, max: Int = Limits.pageRowsDefault
    ) async throws(BelfryError) -> Page<EventSummary> {
        var query = ListQuery("SELECT \(EventSummary.columns) FROM events", order: "sequence")
        try query.start(after: cursor)
        if let source = filter.source { query.require("source = ?", source) }
        if let type = filter.type { query.require("type = ?", type.blob) }
        if let status = filter.status { query.require("status = ?", status.rawValue) }
        return try await page(query, max: max, sequence: { $0.sequence }) { row, db in
            try EventSummary(row, in: db)
        }
    }

    /// - Throws: `not_found`.
    public func event(_ id: EventID) async throws(BelfryError) -> EventRecord {
        guard let record = try await read({ db in try EventRecord.find(id, in: db) }) else {
            throw BelfryError(.notFound, "there is no event \(id)")
        }
        return record
    }

    /// The events that deliveries with these keys would be duplicates of; nil for no key, and for a new one.
    public func knownEvents(
        source: String, keys: [String?], at moment: Timestamp
    ) async throws(BelfryError) -> [EventID?] {
        guard keys.contains(where: { $0 != nil }) else { return keys.map { _ in nil } }
        return try await read { db in
            let statement = try db.cachedStatement(
                sql: "SELECT event FROM identities WHERE source = ? AND key = ? AND expires > ?")
            return try keys.map { key in
                guard let key else { return nil }
                let row = try Row.fetchOne(statement, arguments: [source, key.blob, moment.milliseconds])
                return try row?.identifier("event")
            }
        }
    }

    /// The matches of an event with their outcomes, round after round; the last round is what holds.
    public func matches(of event: EventID) async throws(BelfryError) -> [MatchRecord] {
        try await read { db in
            let sql = """
                SELECT * FROM matches WHERE event = (SELECT sequence FROM events WHERE id = ?) ORDER BY round, rule, part
                """
            return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [event.bytes.blob]).map {
                var match = try MatchRecord($0, event: event)
                match.group = try $0.optionalIdentifier("match_group").flatMap { try GroupSummary.find($0, in: db) }
                if match.outcome == .grouped, let group = match.group { match.tell(of: group) }
                match.end = try match.run.flatMap { try RunEnd.find($0, in: db) }
                return match
            }
        }
    }

    /// Refused deliveries, newest first.
    public func refusals(since: Timestamp) async throws(BelfryError) -> [RefusalRecord] {
        try await read { db in
            let sql = """
                SELECT * FROM refusals INDEXED BY refusals_by_minute WHERE minute >= ? ORDER BY minute DESC LIMIT ?
                """
            return try Row.fetchAll(
                db.cachedStatement(sql: sql), arguments: [since.milliseconds, Limits.pageRowsMax]
            ).map { row in
                RefusalRecord(
                    source: row.text("source"), code: row.text("code"), minute: row.timestamp("minute"),
                    count: row.int("count"), remote: row.text("remote")
                )
            }
        }
    }

    /// What each source that ever had an event or a refusal has received.
    public func sourceActivity() async throws(BelfryError) -> [SourceActivity] {
        let since = now - .seconds(3600)
        return try await read { db in
            var activity: [String: SourceActivity] = [:]
            let sql =
                "SELECT source, received FROM events INDEXED BY events_by_source WHERE source = "
                + "(SELECT min(source) FROM events INDEXED BY events_by_source WHERE source > ?) "
                + "ORDER BY sequence DESC LIMIT 1"
            let statement = try db.cachedStatement(sql: sql)
            var last = ""
            while let row = try Row.fetchOne(statement, arguments: [last]) {
                last = row.text("source")
                activity[last] = SourceActivity(source: last, lastEvent: row.timestamp("received"), refusals: 0)
            }
            let refusals = "SELECT source, sum(count) AS count FROM refusals WHERE minute >= ? GROUP BY source"
            for row in try Row.fetchAll(db.cachedStatement(sql: refusals), arguments: [since.milliseconds]) {
                let source = row.text("source")
                activity[source, default: SourceActivity(source: source, lastEvent: nil, refusals: 0)].refusals =
                    row.int("count")
            }
            return activity.values.sorted { $0.source < $1.source }
        }
    }
}

extension EventSummary {
    /// All but the long ones.
    static let columns = """
        sequence, id, source, status, round, runs, ruleset_version, time, received, hops, same_body_as, verified_by, remote,
        origin, key, type, subject
        """

    init(_ row: Row, in db: Database) throws {
        sequence = row.int("sequence")
        id = try row.identifier("id")
        source = row.text("source")
        origin = row.optionalText("origin")
        key = row.optionalText("key")
        type = row.text("type")
        subject = row.optionalText("subject")
        time = row.timestamp("time")
        received = row.timestamp("received")
        hops = Int(row.int("hops"))
        remote = row.text("remote")
        status = try row.word("status")
        verifiedBy = row.optionalText("verified_by")
        ruleSetVersion = row.int("ruleset_version")
        sameBodyAs = try row.optionalIdentifier("same_body_as")
        groups = try GroupSummary.ofEvent(sequence, round: row.int("round"), in: db)
        runs = []
        if row.int("runs") > 0 {
            let sql = "SELECT id FROM runs WHERE event = ? ORDER BY sequence"
            runs = try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [id.bytes.blob]).map {
                try $0.identifier("id")
            }
        }
    }
}

extension EventRecord {
    static func find(_ id: EventID, in db: Database) throws -> EventRecord? {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM events WHERE id = ?"), arguments: [id.bytes.blob]
        )
        guard let row else { return nil }
        let summary = try EventSummary(row, in: db)
        return EventRecord(summary: summary, event: try Event(row))
    }
}

extension Event {
    /// From a row with all columns.
    init(_ row: Row) throws(BelfryError) {
        self.init(
            id: try row.identifier("id"), source: row.text("source"), origin: row.optionalText("origin"),
            key: row.optionalText("key"), type: row.text("type"), subject: row.optionalText("subject"),
            time: row.timestamp("time"), received: row.timestamp("received"), remote: row.text("remote"),
            ext: row.json("ext").value.object ?? JSONObject(),
            headers: row.json("headers").value.object ?? JSONObject(),
            data: row.json("data")
        )
        hops = Int(row.int("hops"))
    }
}

extension MatchRecord {
    init(_ row: Row, event: EventID) throws(BelfryError) {
        self.init(
            event: event, round: Int(row.int("round")), rule: row.text("rule"), ruleVersion: row.int("rule_version"),
            outcome: try row.word("outcome"), run: try row.optionalIdentifier("run"),
            detail: row.optionalText("detail"), time: row.timestamp("time")
        )
    }

    /// A match that waited in its group: what became of the group became of it.
    fileprivate mutating func tell(of group: GroupSummary) {
        outcome = group.outcome ?? outcome
        detail = group.detail ?? detail
        run = run ?? group.run
    }
}

extension RunEnd {
    fileprivate static func find(_ run: RunID, in db: Database) throws -> RunEnd? {
        let sql = "SELECT state, reason, error_code, error_message FROM runs WHERE id = ? AND ended IS NOT NULL"
        let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [run.bytes.blob])
        return try row.map {
            RunEnd(
                state: try $0.word("state"), reason: $0.optionalText("reason").flatMap(EndReason.init(rawValue:)),
                error: StoredError($0))
        }
    }
}
