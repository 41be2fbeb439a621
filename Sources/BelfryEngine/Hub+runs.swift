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
        let command = id ?? CommandID(at: configuration.clock.now())
        let arrived = ContinuousClock.now
        let state = try await store.run(run).state
        if state.isEnded {
            if let earlier = try await store.command(command, of: principal.name), earlier.run == run,
                earlier.digest == kind.digest
            {
                return CommandAnswer(earlier, latency: .now - arrived)
            }
            return CommandAnswer(
                command: command, result: .rejected, reason: "already \(state.rawValue)", latency: .now - arrived)
        }
        let answer: CommandAnswer? = await withCheckedContinuation { continuation in
            let input = RunCommand(kind: kind, id: command, by: principal, arrived: arrived) {
                continuation.resume(returning: $0)
            }
            if !mailboxes.post(.command(input), to: run) { continuation.resume(returning: nil) }
        }
        guard let answer else {
            throw BelfryError(
                .overloaded, "run \(run) does not take commands at the moment; try again", retryAfter: .seconds(1))
        }
        return answer
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
