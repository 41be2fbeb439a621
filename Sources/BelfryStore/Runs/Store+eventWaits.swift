public import BelfryCore
import GRDB
import Synchronization

extension Store {
    /// What the steps of a run wait for, in their order.
    public func eventWaits(of run: RunID) async throws(BelfryError) -> [EventWaitRecord] {
        try await read { db in
            let sql = """
                SELECT w.step, w.look_back, w.stored, a.name, a.key, a.event
                FROM event_waits w JOIN awaited a ON a.id = w.awaited WHERE w.run = ? ORDER BY w.step
                """
            return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [run.bytes.blob]).map {
                try EventWaitRecord($0)
            }
        }
    }

    /// The versions of rules at whose steps runs wait for events.
    public func versionsWithWaits() async throws(BelfryError) -> [RuleVersion] {
        try await read { db in
            let sql =
                "SELECT DISTINCT rule, rule_version FROM awaited INDEXED BY awaited_open WHERE event IS NULL"
            return try Row.fetchAll(db.cachedStatement(sql: sql)).map {
                RuleVersion(rule: $0.text("rule"), version: $0.int("rule_version"))
            }
        }
    }

    /// Whether a run of this version waits for an event.
    public func hasWaits(_ version: RuleVersion) async throws(BelfryError) -> Bool {
        try await read { db in
            let sql = """
                SELECT 1 FROM awaited INDEXED BY awaited_open
                WHERE rule = ? AND rule_version = ? AND event IS NULL LIMIT 1
                """
            let arguments: StatementArguments = [version.rule, version.version]
            return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: arguments) != nil
        }
    }

    /// Nothing was found among the events that were stored before the wait. Written with what is written anyway: a crash
    /// before has them looked at once more.
    public func noteLookedBack(_ wait: EventWaitRecord, of run: RunID) {
        writer.post { transaction in
            try transaction.execute(
                "UPDATE event_waits SET look_back = NULL WHERE run = ? AND step = ?", [run.bytes.blob, wait.step])
        }
    }

    /// The last sequence, up to `through`, of an event received before a moment; 0 if there is none. It is found by halves,
    /// as if all were received in the order they were stored: where they were not, it lies a little beside.
    public func lastSequence(receivedBefore moment: Timestamp, through: Int64) async throws(BelfryError) -> Int64 {
        try await read { db in
            let sql = "SELECT sequence, received FROM events WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1"
            let statement = try db.cachedStatement(sql: sql)
            // All up to `low` were received before, none behind `high` was.
            var (low, high): (Int64, Int64) = (0, through)
            while low < high {
                let middle = low + (high - low + 1) / 2
                guard let row = try Row.fetchOne(statement, arguments: [middle]), row.int("sequence") > low,
                    row.timestamp("received") >= moment
                else {
                    low = middle
                    continue
                }
                high = row.int("sequence") - 1
            }
            return low
        }
    }

    // MARK: Generations

    /// Refuses an event that was matched before the rules held what a step waits for by now.
    func checkIsCurrent(_ generation: Int?) throws(BelfryError) {
        guard let generation, generation < waitsGeneration.load(ordering: .relaxed) else { return }
        throw .matchedTooEarly
    }

    /// On the writer's thread, before the wait is stored: whatever is stored behind it was matched with it, or is refused.
    func note(_ generation: Int) {
        _ = waitsGeneration.max(generation, ordering: .relaxed)
    }
}

extension BelfryError {
    fileprivate static let matchedTooEarly = BelfryError(
        .conflict, "a run has begun to wait since the event was matched; match it again", details: ["rematch": true])

    /// The event was matched before the rules held what a step waits for by now: match it again, with the rules of now.
    public var asksForRematch: Bool { code == .conflict && details["rematch"] == true }
}
