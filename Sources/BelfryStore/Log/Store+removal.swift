public import BelfryCore
import GRDB

extension Store {
    /// Forgets frames up to a position, a bounded number per commit. The floors of the topics that covered them are
    /// raised with each (``FramePage/floors``): no reader is left to believe that there was nothing.
    /// - Parameter homes: frames of these home topics alone; `run/*` stands for the text of every run, `source/*` for
    ///   every source, and a rule is home to nothing. Nil: of every topic.
    public func removeFrames(through position: Int64, of homes: [Topic]? = nil) async throws(BelfryError) {
        let bound = min(position, head)
        for removal in homes.map({ $0.compactMap(FrameRemoval.init(home:)) }) ?? [.everything] {
            var after: Int64 = 0
            while after < bound {
                let from = after
                after = try await writer.perform { transaction in
                    try removal.perform(after: from, through: bound, transaction.db)
                }
            }
        }
    }
}

/// Removes frames of one home, or of all, some in each transaction.
private struct FrameRemoval: Sendable {
    private let condition: String
    private let argument: DatabaseValue?

    static let everything = FrameRemoval(condition: "true", argument: nil)

    private init(condition: String, argument: DatabaseValue?) {
        self.condition = condition
        self.argument = argument
    }

    /// Nil for a topic that no frame has its home at.
    init?(home: Topic) {
        switch home {
        case .run(let id): self.init(condition: "topic IS NULL AND run = ?", argument: id.bytes.blob.databaseValue)
        case .everyRun: self.init(condition: "topic IS NULL", argument: nil)
        case .everySource: self.init(condition: "topic >= 'source/' AND topic < 'source0'", argument: nil)
        case .rule: return nil
        case .runs, .source, .approvals, .rules, .alerts, .custom:
            self.init(condition: "topic = ?", argument: home.description.databaseValue)
        }
    }

    /// - Returns: up to which position everything was considered.
    func perform(after: Int64, through: Int64, _ db: Database) throws -> Int64 {
        let stretch = try Int64.fetchOne(
            db.cachedStatement(
                sql: "SELECT position FROM frames WHERE position > ? ORDER BY position LIMIT 1 OFFSET ?"),
            arguments: [after, Limits.frameScanPositionsMax]
        )
        let through = min(through, stretch ?? .max)
        let positions = try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT position FROM frames WHERE \(condition) AND position > ? AND position <= ?
                    ORDER BY position LIMIT ?
                    """),
            arguments: StatementArguments(argument.map { [$0] } ?? [])
                + [after, through, Limits.framesRemovedPerCommitMax]
        )
        guard let last = positions.last else { return through }
        let range: StatementArguments = StatementArguments(argument.map { [$0] } ?? []) + [after, last]
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT topic, run, rule, max(position) AS position FROM frames
                    WHERE \(condition) AND position > ? AND position <= ? GROUP BY topic, run, rule
                    """),
            arguments: range
        )
        let floors = Floors(db)
        for row in rows {
            let run: RunID? = try row.optionalIdentifier("run")
            try floors.raise(
                for: Floors.Removed(
                    home: row.optionalText("topic").flatMap { Topic($0) }, run: run, rule: row.optionalText("rule"),
                    position: row.int("position")))
        }
        try floors.fold(keeping: Limits.floorsPerKindMax)
        try db.cachedStatement(sql: "DELETE FROM frames WHERE \(condition) AND position > ? AND position <= ?")
            .execute(arguments: range)
        return positions.count < Limits.framesRemovedPerCommitMax ? through : last
    }
}
