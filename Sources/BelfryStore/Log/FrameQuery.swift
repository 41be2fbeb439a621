import BelfryCore
import Foundation
import GRDB

/// Reads a page of the log for a set of topics: the smallest of what each of them gives. An index gives the positions of
/// a topic within a span of the log, so a page goes from span to span.
struct FrameQuery: Sendable {
    let after: Int64
    let through: Int64
    let topics: Set<Topic>
    let max: Int

    func page(_ db: Database) throws -> FramePage {
        var positions: Set<Int64> = []
        // How far every topic has been looked at.
        var considered = through
        for topic in topics {
            let (found, reached) = try positionsOf(topic, db)
            positions.formUnion(found)
            considered = min(considered, reached)
        }
        let wanted = positions.filter { $0 <= considered }.sorted()
        let frames = try wanted.prefix(max).map { try frame(at: $0, db) }
        let reached = wanted.count > max ? wanted[max - 1] : considered
        // Of the same snapshot as the frames: what is removed while somebody reads is missed by nobody unawares.
        return FramePage(frames: frames, through: reached, floors: try Floors(db).of(topics, beyond: after))
    }

    /// The first positions of a topic, at most ``max``, and how far the search went.
    private func positionsOf(_ topic: Topic, _ db: Database) throws -> (positions: [Int64], reached: Int64) {
        switch topic {
        case .everyRun: return try positionsByWalk("run IS NOT NULL", db)
        case .everySource: return try positionsByWalk("topic >= 'source/' AND topic < 'source0'", db)
        default: break
        }
        let (condition, argument) = Self.condition(topic)
        if case .rule = topic {
            let sql =
                "SELECT position FROM frames \(condition) AND position > ? AND position <= ? ORDER BY position LIMIT ?"
            let found = try Int64.fetchAll(db.cachedStatement(sql: sql), arguments: [argument, after, through, max])
            return (found, found.count < max ? through : found[max - 1])
        }
        return try positionsBySpan(condition, argument, from: Swift.max(after, logStart(of: topic, db)), db)
    }

    /// Goes from span to span, past those without any frame, and through a bounded number of them.
    private func positionsBySpan(
        _ condition: String, _ argument: DatabaseValue, from start: Int64, _ db: Database
    ) throws -> (positions: [Int64], reached: Int64) {
        let inSpan = try db.cachedStatement(
            sql: """
                SELECT position FROM frames \(condition) AND position >> 12 = ? AND position > ? AND position <= ?
                ORDER BY position LIMIT ?
                """)
        let next = try db.cachedStatement(
            sql: "SELECT position FROM frames WHERE position > ? AND position <= ? ORDER BY position LIMIT 1")
        var positions: [Int64] = []
        var reached = start
        for _ in 0..<Swift.max(1, Limits.frameSpansLookedAtMax / topics.count) where reached < through {
            let span = (reached + 1) >> Self.spanBits
            let found = try Int64.fetchAll(
                inSpan, arguments: [argument, span, reached, through, max - positions.count])
            positions += found
            if positions.count == max { return (positions, found[found.count - 1]) }
            reached = min(through, (span + 1) << Self.spanBits - 1)
            if found.isEmpty {
                // A restore leaves millions of spans empty.
                reached = try Int64.fetchOne(next, arguments: [reached, through]).map { $0 - 1 } ?? through
            }
        }
        return (positions, Swift.max(reached, after))
    }

    /// As the schema has it: `position >> 12`.
    private static let spanBits: Int64 = 12

    /// The position behind which all frames of the topic stand.
    private func logStart(of topic: Topic, _ db: Database) throws -> Int64 {
        guard case .run(let id) = topic else { return 0 }
        let sql = "SELECT log_start FROM runs WHERE id = ?"
        return try Int64.fetchOne(db.cachedStatement(sql: sql), arguments: [id.bytes.blob]) ?? 0
    }

    private static func condition(_ topic: Topic) -> (sql: String, argument: DatabaseValue) {
        switch topic {
        case .run(let id): ("INDEXED BY frames_by_run WHERE run = ?", id.bytes.blob.databaseValue)
        case .rule(let name):
            ("INDEXED BY frames_by_rule WHERE topic = 'runs' AND rule = ?", name.databaseValue)
        case .everyRun, .everySource, .runs, .source, .approvals, .rules, .alerts, .custom:
            ("INDEXED BY frames_by_topic WHERE topic = ?", topic.description.databaseValue)
        }
    }

    /// Topics that many frames fit: the table itself is walked, a bounded stretch of it.
    private func positionsByWalk(_ condition: String, _ db: Database) throws -> (positions: [Int64], reached: Int64) {
        let end = min(through, after + Int64(Limits.frameScanPositionsMax))
        let sql = """
            SELECT position FROM frames NOT INDEXED WHERE position > ? AND position <= ? AND \(condition)
            ORDER BY position LIMIT ?
            """
        let positions = try Int64.fetchAll(db.cachedStatement(sql: sql), arguments: [after, end, max])
        return (positions, positions.count < max ? end : positions[max - 1])
    }

    private func frame(at position: Int64, _ db: Database) throws -> Frame {
        let sql = "SELECT time, topic, type, run, rule, source, data FROM frames WHERE position = ?"
        guard let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [position]) else {
            throw BelfryError(.storageFailed, "frame \(position) is in an index and not in the log")
        }
        return Frame(position: position, draft: try DraftFrame(row))
    }
}

extension DraftFrame {
    init(_ row: Row) throws(BelfryError) {
        let run: RunID? = try row.optionalIdentifier("run")
        let home = row.optionalText("topic").flatMap { Topic($0) } ?? run.map(Topic.run)
        guard let home else { throw BelfryError(.storageFailed, "a frame of the log has no topic") }
        self.init(
            time: row.timestamp("time"), topic: home, run: run, rule: row.optionalText("rule"),
            source: row.optionalText("source"), type: try row.word("type"), data: row.json("data")
        )
    }
}
