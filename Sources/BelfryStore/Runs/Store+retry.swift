public import BelfryCore
import GRDB

/// A run that is to be made of what an ended one was about.
public struct RunRetry: Sendable {
    /// The run that has ended.
    public var run: RunID
    /// The rule it follows, with the version of its document.
    public var match: MatchRequest
    /// Steps that are over already, with their outputs.
    public var kept: [StepRecord]
    public var by: Principal
    public var command: CommandID
    /// SHA-256 of what the command says.
    public var digest: [UInt8]

    public init(
        run: RunID, match: MatchRequest, kept: [StepRecord], by: Principal, command: CommandID, digest: [UInt8]
    ) {
        self.run = run
        self.match = match
        self.kept = kept
        self.by = by
        self.command = command
        self.digest = digest
    }
}

extension Store {
    /// Makes the run, queued: rows, frames, audit and the command's answer in one transaction. It belongs to no group, and
    /// no limit but its rule's concurrency holds it.
    /// - Throws: `not_found`; `conflict` if the run has not ended, or was retried and that has not; `state` and `run` are
    ///   in the details.
    public func retry(_ retry: RunRetry) async throws(BelfryError) -> RunID {
        try await writer.perform { transaction in try transaction.retry(retry) }
    }
}

extension WriteTransaction {
    fileprivate func retry(_ retry: RunRetry) throws -> RunID {
        let ended = try run(retry.run)
        guard ended.state.isEnded else {
            throw BelfryError(
                .conflict, "the run is \(ended.state.rawValue); a run is retried when it has ended",
                details: ["run": .string(ended.id.description), "state": .string(ended.state.rawValue)])
        }
        guard let last = try lastRun(of: ended.rule, event: ended.event), last.isEnded else {
            throw BelfryError(.conflict, "another retry of the run has not ended", details: [:])
        }
        guard let event = try EventRecord.find(ended.event, in: db)?.event else {
            throw BelfryError(.notFound, "event \(ended.event) is gone")
        }
        let number = EarlierRun(run: ended.id, retry: last.retry, isEnded: true)
        let id = try insertRun(
            event: event, match: retry.match, traceparent: ended.traceparent, received: now, after: number)
        let made = try run(id)
        for var step in retry.kept {
            step.run = id
            try store(step, run: made.sequence)
        }
        if let params = ended.params {
            try execute("UPDATE runs SET params = ? WHERE sequence = ?", [params.blob, made.sequence])
        }
        try append(
            DraftFrame(
                time: now, topic: .runs, run: ended.id, rule: ended.rule, type: .command,
                data: RawJSON([
                    "command": .string(retry.command.description), "kind": "retry", "by": .string(retry.by.name),
                    "run": .string(id.description),
                ])))
        try append(
            AuditDraft(
                by: retry.by, action: "run.retry", subject: ended.id.description,
                detail: ["command": .string(retry.command.description), "run": .string(id.description)]))
        try record(
            CommandRecord(
                principal: retry.by.name, id: retry.command, run: ended.id, kind: "retry", digest: retry.digest,
                answer: RawJSON(["result": "applied", "run": .string(id.description)])))
        return id
    }
}
