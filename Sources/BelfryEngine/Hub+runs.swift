public import BelfryCore
import BelfryRules
public import BelfryStore

extension Hub {
    /// Newest first.
    public func runs(
        state: RunState?, rule: String?, limit: Int, cursor: String?
    ) async throws(BelfryError) -> Page<RunRecord> {
        try await store.runs(RunFilter(states: state.map { [$0] } ?? [], rule: rule), cursor: cursor, max: limit)
    }

    /// Throws `not_found`.
    public func run(_ id: RunID) async throws(BelfryError) -> (run: RunRecord, steps: [StepRecord]) {
        (try await store.run(id), try await store.steps(of: id))
    }

    /// What agents that wait for a decision about a call have said so far, `{text, calls?, calls_dropped?}` by the name of the
    /// step; nothing of a run that has said more than ``Limits/snapshotBytesMax``.
    public func saidSoFar(by steps: [StepRecord]) async throws(BelfryError) -> [String: RawJSON] {
        let waiting = steps.filter { $0.conversation != nil }
        guard let run = waiting.first?.run,
            let snapshot = try await RunSnapshot.read(
                run, from: store, through: store.head, textBytesMax: Limits.snapshotBytesMax)
        else { return [:] }
        let said = waiting.map { ($0.name, snapshot.said(in: $0.name)) }
        return Dictionary(said, uniquingKeysWith: { $1 }).compactMapValues(\.self)
    }

    /// The steps of a run, as the rule has them that it was matched with; `agent` names the agent of those that ask one.
    public func steps(of run: RunRecord) async throws(BelfryError) -> [(name: String, agent: String?)] {
        try await registry.rule(named: run.rule, version: run.ruleVersion).steps.map { step in
            guard case .agent(let agentStep) = step.action else { return (step.name, nil) }
            return (step.name, agentStep.agent)
        }
    }

    /// Carries out an operator's word on a run that has not ended, and answers when that is on disk: of a stop, when the
    /// upstream transfer is closed or the process group gone.
    ///
    /// - Parameter id: the client's own; repeated, it gets the first answer again. Nil: one is made.
    /// - Throws: `not_found`, and what the store throws. What can't be done is an answer: `rejected`.
    public func perform(
        _ kind: RunCommandKind, on run: RunID, id: CommandID? = nil, by principal: Principal
    ) async throws(BelfryError) -> CommandAnswer {
        let command = SentCommand(
            id ?? CommandID(at: configuration.clock.now()), kind.name, kind.parts, to: run, by: principal)
        let record = try await store.run(run)
        if record.state.isEnded { return try await store.answer(late: command, kind.approval, to: record) }
        let answer: CommandAnswer? = await withCheckedContinuation { continuation in
            let input = RunCommand(kind: kind, sent: command) { continuation.resume(returning: $0) }
            if !mailboxes.post(.command(input), to: run) { continuation.resume(returning: nil) }
        }
        guard let answer else {
            throw BelfryError(
                .overloaded, "run \(run) does not take commands at the moment; try again", retryAfter: .seconds(1))
        }
        return answer
    }

    /// Decides a question: a command on its run.
    ///
    /// - Throws: `not_found`, and what ``perform(_:on:id:by:)`` throws.
    public func decide(
        _ approval: ApprovalID, _ verdict: Verdict, id: CommandID? = nil, by principal: Principal
    ) async throws(BelfryError) -> CommandAnswer {
        let question = try await store.approval(approval)
        let kind: RunCommandKind =
            switch verdict {
            case .approve(let value): .approve(step: question.name, approval: approval, value: value)
            case .deny(let reason): .deny(step: question.name, approval: approval, reason: reason)
            }
        return try await perform(kind, on: question.run, id: id, by: principal)
    }

    /// Questions to people, newest first.
    public func approvals(
        isOpen: Bool?, run: RunID?, limit: Int, cursor: String?
    ) async throws(BelfryError) -> Page<ApprovalRecord> {
        try await store.approvals(isOpen: isOpen, run: run, cursor: cursor, max: limit)
    }

    /// Throws `not_found`.
    public func approval(_ id: ApprovalID) async throws(BelfryError) -> ApprovalRecord {
        try await store.approval(id)
    }
}
