public import BelfryCore
import GRDB

/// A target that gets nothing.
public struct DisabledTarget: Sendable, Hashable {
    public var name: String
    public var since: Timestamp
    /// What it had answered.
    public var reason: String
}

extension Store {
    /// The targets that are disabled, by name; those that the configuration no longer has, too.
    public func disabledTargets() async throws(BelfryError) -> [String: DisabledTarget] {
        try await read { db in
            let rows = try Row.fetchAll(db.cachedStatement(sql: "SELECT * FROM disabled_targets"))
            return Dictionary(rows.map { ($0.text("target"), DisabledTarget($0)) }, uniquingKeysWith: { $1 })
        }
    }

    /// Nil: the target is in use.
    public func disabledTarget(_ name: String) async throws(BelfryError) -> DisabledTarget? {
        try await read { db in
            let statement = try db.cachedStatement(sql: "SELECT * FROM disabled_targets WHERE target = ?")
            return try Row.fetchOne(statement, arguments: [name]).map { DisabledTarget($0) }
        }
    }

    /// Lets a target get nothing more, and tells a person. One that is disabled stays as it is.
    public func disableTarget(_ name: String, reason: String) async throws(BelfryError) {
        try await writer.perform { transaction in
            guard try transaction.row("SELECT 1 FROM disabled_targets WHERE target = ?", [name]) == nil else { return }
            try transaction.execute(
                "INSERT INTO disabled_targets (target, since, reason) VALUES (?, ?, ?)",
                [name, transaction.now.milliseconds, reason.blob])
            try transaction.append(
                AuditDraft(actor: "belfry", action: "target.disabled", subject: "target/\(name)"))
            let notice = Notice(
                .targetDead, .error, title: "The target \(name) is gone",
                text: "\(reason); nothing is sent there until `belfry targets enable \(name)`")
            _ = try transaction.append(notice.frame(at: transaction.now))
        }
    }

    /// Lets a target get messages again; one that is in use stays so.
    public func enableTarget(_ name: String, by principal: Principal) async throws(BelfryError) {
        try await writer.perform { transaction in
            guard try transaction.row("SELECT 1 FROM disabled_targets WHERE target = ?", [name]) != nil else { return }
            try transaction.execute("DELETE FROM disabled_targets WHERE target = ?", [name])
            try transaction.append(AuditDraft(by: principal, action: "target.enabled", subject: "target/\(name)"))
        }
    }
}

extension DisabledTarget {
    fileprivate init(_ row: Row) {
        name = row.text("target")
        since = row.timestamp("since")
        reason = row.text("reason")
    }
}
