import BelfryCore
import BelfryCrypto
import BelfryStore

/// A command as it was sent: who says what, to which run, under which id. Sent again, it gets its first answer again.
struct SentCommand: Sendable {
    let id: CommandID
    let by: Principal
    /// Nil: to none, or to many.
    let run: RunID?
    /// `stop`, `retry`, …
    let kind: String
    /// Tells commands apart that were sent under one id.
    let digest: [UInt8]
    let arrived = ContinuousClock.now

    static let idIsTaken = "another command was sent under this id"

    /// - Parameter parts: what it says beside its kind.
    init(_ id: CommandID, _ kind: String, _ parts: [JSONValue], to run: RunID?, by principal: Principal) {
        self.id = id
        self.by = principal
        self.run = run
        self.kind = kind
        digest = Digest.sha256(JSONValue.array([.string(kind)] + parts).encoded())
    }

    func answer(_ result: CommandAnswer.Result, reason: String? = nil) -> CommandAnswer {
        CommandAnswer(command: id, result: result, reason: reason, latency: .now - arrived)
    }

    /// For the table of commands.
    func record(_ answer: CommandAnswer) -> CommandRecord {
        var kept = answer.details
        kept["result"] = .string(answer.result.rawValue)
        if let reason = answer.reason { kept["reason"] = .string(reason) }
        return CommandRecord(
            principal: by.name, id: id, run: run, kind: kind, digest: digest, answer: RawJSON(.object(kept)))
    }

    /// What was answered when it came first.
    fileprivate func answer(again record: CommandRecord) -> CommandAnswer {
        var kept = record.answer.value.object ?? [:]
        var answer = answer(
            kept["result"]?.string.flatMap(CommandAnswer.Result.init(rawValue:)) ?? .rejected,
            reason: kept["reason"]?.string)
        (kept["result"], kept["reason"]) = (nil, nil)
        answer.details = kept
        return answer
    }
}

extension Store {
    /// The first answer to a command that comes again; no to another command under its id; nil: it is new.
    func firstAnswer(to command: SentCommand) async throws(BelfryError) -> CommandAnswer? {
        guard let first = try await self.command(command.id, of: command.by.name) else { return nil }
        guard first.run == command.run, first.digest == command.digest else {
            return command.answer(.rejected, reason: SentCommand.idIsTaken)
        }
        return command.answer(again: first)
    }

    /// Refuses a command: repeated, it gets the same answer. Where that can't be stored, it is looked at anew.
    func reject(_ command: SentCommand, _ reason: String) async -> CommandAnswer {
        let answer = command.answer(.rejected, reason: reason)
        try? await record(command.record(answer))
        return answer
    }

    /// What is said to a command on a run that has ended.
    /// - Parameter approval: the question that it would decide.
    func answer(
        late command: SentCommand, _ approval: ApprovalID?, to run: RunRecord
    ) async throws(BelfryError) -> CommandAnswer {
        if let first = try await firstAnswer(to: command) { return first }
        // The hub has died between the stop and its answer, and has ended the run since.
        if command.kind == "stop", let stop = try await lastStop(of: run.id), stop.command == command.id,
            stop.by == command.by.name
        {
            let answer = command.answer(.applied)
            try await record(command.record(answer))
            return answer
        }
        if let approval, let closing = try await self.approval(approval).closing {
            return await reject(command, closing)
        }
        return await reject(command, await closing(of: run))
    }

    /// Why nothing can be said to a run any more, and who was first: `already stopped by anna at …`.
    /// - Parameter run: has ended, or is stopping.
    func closing(of run: RunRecord) async -> String {
        let state = "already \(run.state.rawValue)"
        let end = run.ended.map { " at \($0)" } ?? ""
        switch run.reason {
        case .operator:
            guard let stop = try? await lastStop(of: run.id) else { return state + end }
            return "\(state) by \(stop.by) at \(stop.at)"
        case .denied:
            let no = try? await approvals(of: run.id).last { $0.decision == .deny }?.decidedBy
            return "\(state) (denied\(no.map { " by \($0)" } ?? ""))\(end)"
        case .completed, .error, nil: return state + end
        case let reason?: return "\(state) (\(reason.rawValue))\(end)"
        }
    }
}
