public import BelfryCore
import Foundation
import GRDB

/// What a timer is about; its subject says of which.
enum TimerKind: String {
    /// A group's quiet time, window or cooldown; the subject is its id.
    case group
    /// A queued run's `limits.max_wait`; the subject is its id.
    case maxWait = "max_wait"
    /// A step of a run that waits; the subject is the run's id.
    case run
    /// Runs that an event resumes and that were not told yet; the subject is a ``ResumptionPlace``.
    case resumption
}

extension Store {
    /// When the next timer is due; nil: there is none.
    public func nextTimer() async throws(BelfryError) -> Timestamp? {
        try await read { db in
            let sql = "SELECT due FROM timers INDEXED BY timers_by_due ORDER BY due LIMIT 1"
            return try Row.fetchOne(db.cachedStatement(sql: sql))?.timestamp("due")
        }
    }

    /// Does what is due, at most ``Limits/timersFiredMax`` timers in one transaction; what they bring about is committed
    /// together with their end.
    /// - Parameter rule: what a rule says today; nil: it is gone, or switched off.
    /// - Returns: how many have fired.
    @discardableResult
    public func fireTimers(
        rule: @escaping @Sendable (_ name: String) -> MatchRequest?
    ) async throws(BelfryError) -> Int {
        try await writer.perform { transaction in try transaction.fireTimers(rule: rule) }
    }
}

extension WriteTransaction {
    fileprivate func fireTimers(rule: (String) -> MatchRequest?) throws -> Int {
        let due = try rows(
            "SELECT id, due, kind, subject FROM timers INDEXED BY timers_by_due WHERE due <= ? ORDER BY due LIMIT ?",
            [now.milliseconds, Limits.timersFiredMax])
        for timer in due {
            try execute("DELETE FROM timers WHERE id = ?", [timer.int("id")])
            switch TimerKind(rawValue: timer.text("kind")) {
            case .group?:
                guard let group = try openGroup(try timer.identifier("subject")) else { continue }
                try fire(group, at: now, match: rule(group.rule))
            case .maxWait?: try expire(try timer.identifier("subject"), due: timer.timestamp("due"))
            case .run?: wakes.append(try timer.identifier("subject"))
            case .resumption?: try wakeResumed(from: ResumptionPlace(subject: timer.bytes("subject")))
            case nil: break
            }
        }
        return due.count
    }

    /// Sets the one timer of a subject; nil takes it away.
    func setTimer(_ kind: TimerKind, subject: [UInt8], due: Timestamp?) throws {
        guard let due else {
            return try execute(
                "DELETE FROM timers WHERE kind = ? AND subject = ?", [kind.rawValue, subject.blob])
        }
        try execute(
            "UPDATE timers SET due = ? WHERE kind = ? AND subject = ?",
            [due.milliseconds, kind.rawValue, subject.blob])
        if db.changesCount == 0 {
            try execute(
                "INSERT INTO timers (due, kind, subject, data) VALUES (?, ?, ?, x'')",
                [due.milliseconds, kind.rawValue, subject.blob])
        }
        earliestTimer = min(earliestTimer ?? due, due)
    }
}
