/// One step of the schema, embedded in the binary.
public struct Migration: Sendable {
    /// From 1, without gaps; becomes the database's `user_version`.
    public let number: Int
    /// Why the schema changed.
    public let reason: String
    public let sql: String
}

/// Every migration, in order. A released one is never edited: the next file mends it.
public enum Migrations {
    public static let all: [Migration] = [
        Migration(
            number: 1,
            reason: "The whole vocabulary at once: later features fill tables, they need no new shape.",
            sql: String(decoding: PackageResources.v0001_first_light_sql, as: UTF8.self)
        ),
        Migration(
            number: 2,
            reason: "A secret is rotated while deliveries come: the old one works on for a while, and then ends.",
            sql: String(decoding: PackageResources.v0002_ending_secrets_sql, as: UTF8.self)
        ),
        Migration(
            number: 3,
            reason: "A rule is observed or muted for a while, and its versions say what they changed.",
            sql: String(decoding: PackageResources.v0003_switches_sql, as: UTF8.self)
        ),
        Migration(
            number: 4,
            reason: "A rule's tokens are counted by the day, and a skipped step says why.",
            sql: String(decoding: PackageResources.v0004_limits_sql, as: UTF8.self)
        ),
        Migration(
            number: 5,
            reason: "Groups of matches are kept with what became of them, and the hub itself tells runs to stop.",
            sql: String(decoding: PackageResources.v0005_groups_sql, as: UTF8.self)
        ),
        Migration(
            number: 6,
            reason: "A commit of many runs' tokens wrote an index page for each of them: a twelfth is written now.",
            sql: String(decoding: PackageResources.v0006_log_spans_sql, as: UTF8.self)
        ),
        Migration(
            number: 7,
            reason: "Steps wait for a person or a time without being held in memory.",
            sql: String(decoding: PackageResources.v0007_steps_sql, as: UTF8.self)
        ),
        Migration(
            number: 8,
            reason: "A target that says it is gone gets nothing more, also after a restart.",
            sql: String(decoding: PackageResources.v0008_targets_sql, as: UTF8.self)
        ),
        Migration(
            number: 9,
            reason: "An agent's calls of tools wait for a person, and go on after that with all that was said.",
            sql: String(decoding: PackageResources.v0009_tools_sql, as: UTF8.self)
        ),
        Migration(
            number: 10,
            reason: "Steps wait for events, and what resumes a run is a match beside the others of its rule.",
            sql: String(decoding: PackageResources.v0010_event_waits_sql, as: UTF8.self)
        ),
        Migration(
            number: 11,
            reason: "What agents use is counted in money, too.",
            sql: String(decoding: PackageResources.v0011_cost_sql, as: UTF8.self)
        ),
        Migration(
            number: 12,
            reason: "An event that thousands of runs wait for was written down with each of them, in one transaction.",
            sql: String(decoding: PackageResources.v0012_awaited_sql, as: UTF8.self)
        ),
        Migration(
            number: 13,
            reason: "Every step that waits was written to an index that no query reads.",
            sql: String(decoding: PackageResources.v0013_steps_due_sql, as: UTF8.self)
        ),
    ]
}
