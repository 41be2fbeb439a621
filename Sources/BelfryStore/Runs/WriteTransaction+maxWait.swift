import BelfryCore
import Foundation
import GRDB

/// `limits.max_wait`: how long a run may be queued, whatever it waits for.
extension WriteTransaction {
    /// The run is queued from now on.
    func beginWait(of run: RunID, _ limits: RuleLimits) throws {
        guard let maxWait = limits.maxWait else { return }
        try setTimer(.maxWait, subject: run.bytes, due: now + maxWait)
    }

    /// The run's time has come; one that is not queued any more goes on.
    /// - Parameter due: when it came.
    func expire(_ run: RunID, due: Timestamp) throws {
        let sql = "SELECT \(RunRecord.columns) FROM runs WHERE id = ? AND state = 'queued'"
        guard let row = try row(sql, [run.bytes.blob]) else { return }
        try expire(try RunRecord(row), due: due)
    }

    /// A queued run would begin. Its timer may be late: what is over is over.
    /// - Returns: whether it has expired instead.
    func expireIfOverdue(_ run: RunRecord) throws -> Bool {
        let sql = "DELETE FROM timers WHERE kind = ? AND subject = ? RETURNING due"
        let timer = try row(sql, [TimerKind.maxWait.rawValue, run.id.bytes.blob])
        guard let due = timer?.timestamp("due"), due <= now else { return false }
        try expire(run, due: due)
        // It has taken the place of one that could have begun.
        hasQueuedRuns = true
        return true
    }

    private func expire(_ run: RunRecord, due: Timestamp) throws {
        let error = StoredError(
            code: EndReason.maxWait.rawValue,
            message: "waited longer than \((due - run.created).shorthand) (limits.max_wait)")
        _ = try commit(RunChange.end(run, .expired, .maxWait, error: error, at: now))
    }
}
