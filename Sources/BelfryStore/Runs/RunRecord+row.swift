import BelfryCore
import Foundation
import GRDB

extension RunRecord {
    static let columns = """
        sequence, id, event, rule, rule_version, state, reason, error_code, error_message, created, started, ended,
        attempt, traceparent, match_group, stop_reason, group_key,
        params, retry_of
        """

    init(_ row: Row) throws(BelfryError) {
        sequence = row.int("sequence")
        id = try row.identifier("id")
        event = try row.identifier("event")
        rule = row.text("rule")
        ruleVersion = row.int("rule_version")
        state = try row.word("state")
        reason = row.optionalText("reason").flatMap(EndReason.init(rawValue:))
        error = StoredError(row)
        created = row.timestamp("created")
        started = row.optionalTimestamp("started")
        ended = row.optionalTimestamp("ended")
        attempt = Int(row.int("attempt"))
        traceparent = row.optionalText("traceparent")
        group = try row.optionalIdentifier("match_group")
        groupKey = (row["group_key"] as Data?).map { [UInt8]($0) }
        retryOf = try row.optionalIdentifier("retry_of")
        params = row.optionalJSON("params")
        stopReason = row.optionalText("stop_reason").flatMap(EndReason.init(rawValue:))
    }
}

extension StoredError {
    init?(_ row: Row) {
        guard let code = row.optionalText("error_code") else { return nil }
        self.init(code: code, message: row.text("error_message"))
    }
}

extension StepRecord {
    init(_ row: Row, run: RunID) throws(BelfryError) {
        self.init(
            run: run, index: Int(row.int("step")), name: row.text("name"), kind: row.text("kind"),
            state: try row.word("state"), attempt: Int(row.int("attempt")), started: row.optionalTimestamp("started"),
            ended: row.optionalTimestamp("ended"), output: row.optionalText("output"), error: StoredError(row),
            processGroup: (row["process_group"] as Int32?), inputTokens: (row["input_tokens"] as Int?),
            outputTokens: (row["output_tokens"] as Int?),
            missing: row.json("missing").value.array?.compactMap(\.string) ?? []
        )
        reason = row.optionalText("reason").flatMap(StepReason.init(rawValue:))
        due = row.optionalTimestamp("due")
        data = row.optionalJSON("data")
        conversation = row.optionalJSON("conversation")
        cost = (row["cost"] as Int64?).map { Cost(millionths: $0) }
    }
}

extension WriteTransaction {
    func run(_ id: RunID) throws -> RunRecord {
        let sql = "SELECT \(RunRecord.columns) FROM runs WHERE id = ?"
        guard let row = try row(sql, [id.bytes.blob]) else {
            throw BelfryError(.notFound, "there is no run \(id)")
        }
        return try RunRecord(row)
    }
}
