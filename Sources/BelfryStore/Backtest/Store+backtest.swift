public import BelfryCore
import Foundation
import GRDB

/// A stretch of stored events, by their sequence.
public struct EventStretch: Sendable, Hashable {
    public var first: Int64
    public var last: Int64
    /// Events in the window; a few more may lie between first and last, where the clock was set.
    public var count: Int
}

/// One event of a stretch: whole only if it was asked for.
public struct ScannedEvent: Sendable {
    public var id: EventID
    public var source: String
    public var type: String
    public var received: Timestamp
    public var event: Event?
    /// What a rule's last match of it came to.
    public var outcome: Outcome?
}

/// Some events of a stretch, in the order they were stored.
public struct ScannedPage: Sendable {
    public var events: [ScannedEvent] = []
    /// The sequence of the last one that was looked at.
    public var through: Int64
}

/// Which events are scanned, and what of them is wanted.
public struct EventScan: Sendable {
    public var from: Timestamp
    public var to: Timestamp
    /// Only of this source.
    public var source: String?
    /// The rule whose outcomes are read; nil: none are.
    public var rule: String?
    /// Whether the whole event is wanted, by its source and type.
    public var isWanted: @Sendable (_ source: String, _ type: String) -> Bool

    public init(
        from: Timestamp, to: Timestamp, source: String? = nil, rule: String? = nil,
        isWanted: @escaping @Sendable (_ source: String, _ type: String) -> Bool
    ) {
        self.from = from
        self.to = to
        self.source = source
        self.rule = rule
        self.isWanted = isWanted
    }
}

extension Store {
    /// The events received from `from` until before `to`; nil if there are none. Ids begin with the time, so this
    /// reads an index alone.
    public func stretch(from: Timestamp, to: Timestamp) async throws(BelfryError) -> EventStretch? {
        try await read { db in
            let sql = """
                SELECT min(sequence) AS first, max(sequence) AS last, count(*) AS count FROM events
                WHERE id >= ? AND id < ?
                """
            let bounds = [from, to].map { EventID(at: $0, bits: (0, 0)).bytes.blob }
            guard let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: StatementArguments(bounds)),
                row.int("count") > 0
            else { return nil }
            return EventStretch(first: row.int("first"), last: row.int("last"), count: Int(row.int("count")))
        }
    }

    /// Some of the events behind `after`, up to `last`: so few that the write-ahead log is not held up.
    public func scan(_ scan: EventScan, after: Int64, last: Int64) async throws(BelfryError) -> ScannedPage {
        try await read { db in
            var page = ScannedPage(through: after)
            // Not by the source's index: then the next page would not begin where this one ended.
            let sql = "SELECT * FROM events WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?"
            let rows = try Row.fetchCursor(
                db.cachedStatement(sql: sql), arguments: [after, last, Limits.backtestPageRowsMax])
            var indexes: [Int64: Int] = [:]
            var bytes = 0
            while bytes < Limits.backtestPageBytesMax, let row = try rows.next() {
                page.through = row.int("sequence")
                let received = row.timestamp("received")
                let source = row.text("source")
                guard scan.from <= received, received < scan.to, scan.source == nil || scan.source == source else {
                    continue
                }
                let type = row.text("type")
                var scanned = ScannedEvent(
                    id: try row.identifier("id"), source: source, type: type, received: received)
                if scan.isWanted(source, type) {
                    let event = try Event(row)
                    bytes += event.data.bytes.count + 256
                    scanned.event = event
                }
                indexes[page.through] = page.events.count
                page.events.append(scanned)
            }
            if page.events.isEmpty, page.through == after { page.through = last }
            if let rule = scan.rule { try Self.readOutcomes(of: rule, after: after, in: &page, indexes, db) }
            return page
        }
    }

    private static func readOutcomes(
        of rule: String, after: Int64, in page: inout ScannedPage, _ indexes: [Int64: Int], _ db: Database
    ) throws {
        // What became of a group became of the matches that waited in it; of several rounds the last one holds. What the
        // event resumed beside says nothing of its match.
        let sql = """
            SELECT m.event,
                CASE m.outcome WHEN 'grouped' THEN coalesce(g.outcome, m.outcome) ELSE m.outcome END AS outcome
            FROM matches m LEFT JOIN match_groups g ON g.id = m.match_group
            WHERE m.event > ? AND m.event <= ? AND m.rule = ? AND m.part = 0 ORDER BY m.event, m.round
            """
        let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: [after, page.through, rule])
        while let row = try rows.next() {
            guard let index = indexes[row.int("event")] else { continue }
            page.events[index].outcome = try row.word("outcome") as Outcome
        }
    }

    /// Runs that a rule's matches made in this time, newest first by its numbers; retries are left out.
    public func runCount(rule: String, from: Timestamp, to: Timestamp) async throws(BelfryError) -> Int {
        try await read { db in
            let sql = "SELECT received, retry FROM runs INDEXED BY runs_by_rule WHERE rule = ? ORDER BY number DESC"
            let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: [rule])
            var count = 0
            while let row = try rows.next() {
                let received = row.timestamp("received")
                if received < from { break }
                if received < to, row.int("retry") == 0 { count += 1 }
            }
            return count
        }
    }
}
