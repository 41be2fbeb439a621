import BelfryCore
import GRDB

/// Up to which position frames of a topic are gone: the last one that was removed and that the topic covers. So a stream
/// of one topic is told nothing when only frames of another were removed.
///
/// A run's, rule's, source's or custom topic's own row lasts until there are too many of its kind: then those of the
/// lowest positions become one, `run/`, `rule/` and so on, which holds for every topic of the kind without a row.
struct Floors {
    private let db: Database

    init(_ db: Database) { self.db = db }

    /// The floors of topics that have one beyond a position.
    func of(_ topics: some Sequence<Topic>, beyond position: Int64) throws -> [Topic: Int64] {
        guard try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM floors)")) == true else {
            return [:]
        }
        let sql = """
            SELECT max(coalesce((SELECT position FROM floors WHERE topic = ?),
                                (SELECT position FROM floors WHERE topic = ?), 0),
                       coalesce((SELECT position FROM floors WHERE topic = '*'), 0))
            """
        var floors: [Topic: Int64] = [:]
        for topic in topics {
            let floor = try Int64.fetchOne(
                db.cachedStatement(sql: sql), arguments: [topic.description, topic.family ?? topic.description]
            )
            if let floor, floor > position { floors[topic] = floor }
        }
        return floors
    }

    /// Raises the floors of all topics that cover a frame which is being removed.
    func raise(for frame: Removed) throws {
        for topic in frame.topics { try raise(topic.description, to: frame.position) }
    }

    private func raise(_ row: String, to position: Int64) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO floors (topic, position) VALUES (?, ?)
                ON CONFLICT (topic) DO UPDATE SET position = max(position, excluded.position)
                """
        ).execute(arguments: [row, position])
    }

    /// Makes one row of the lowest where there are too many of a kind.
    /// - Parameter most: rows that a kind keeps.
    func fold(keeping most: Int) throws {
        for family in Topic.families {
            let range = "topic > ?1 AND topic < ?2 AND topic NOT LIKE '%*'"
            // The character behind the slash ends the range.
            let bounds: StatementArguments = [family, String(family.dropLast()) + "0"]
            let highest = try Int64.fetchOne(
                db.cachedStatement(
                    sql: "SELECT position FROM floors WHERE \(range) ORDER BY position DESC LIMIT 1 OFFSET ?3"),
                arguments: bounds + [most]
            )
            guard let highest else { continue }
            try db.cachedStatement(sql: "DELETE FROM floors WHERE \(range) AND position <= ?3")
                .execute(arguments: bounds + [highest])
            try raise(family, to: highest)
        }
    }

    /// Frames of one home, run and rule that are being removed: the last of them.
    struct Removed {
        /// Nil: the run's own topic.
        var home: Topic?
        var run: RunID?
        var rule: String?
        var position: Int64

        /// Every topic that covers them (``Topic/covers(_:)``).
        var topics: [Topic] {
            var topics = home.map { [$0] } ?? []
            if let run { topics += [.run(run), .everyRun] }
            if case .source = home { topics.append(.everySource) }
            if home == .runs, let rule { topics.append(.rule(rule)) }
            return topics
        }
    }
}

extension Topic {
    /// Kinds of topics that there may be any number of, as they are written.
    fileprivate static let families = ["run/", "rule/", "source/", "custom/"]

    /// The kind of a topic with a name.
    fileprivate var family: String? {
        switch self {
        case .run: "run/"
        case .rule: "rule/"
        case .source: "source/"
        case .custom: "custom/"
        case .everyRun, .runs, .everySource, .approvals, .rules, .alerts: nil
        }
    }
}
