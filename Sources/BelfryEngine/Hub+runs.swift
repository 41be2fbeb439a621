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

    /// Stops a run: commits `stopping`, closes the upstream transfer or ends the process group, commits `stopped`, and
    /// only then answers. A run that has ended is left as it is: `rejected`.
    ///
    /// Throws `not_found`, and what the store throws.
    public func stop(_ id: RunID, commandID: CommandID?, by principal: Principal) async throws(BelfryError)
        -> CommandAnswer
    {
        let command = commandID ?? CommandID(at: configuration.clock.now())
        let arrived = ContinuousClock.now
        // A queued run may be claimed between the look and the commit; then its mailbox is there at the next look.
        for _ in 0..<Limits.stopTriesMax {
            if let mailbox = mailboxes[id],
                let answer = await send(command, to: mailbox, arrived: arrived, by: principal)
            {
                return answer
            }
            let run = try await store.run(id)
            if run.state.isEnded {
                return CommandAnswer(
                    command: command, result: .rejected, reason: "already \(run.state.rawValue)",
                    latency: .now - arrived)
            }
            guard run.state == .queued else {
                // Between claim and mailbox, or between the last commit and the end.
                try? await ContinuousClock().sleep(for: .milliseconds(20))
                continue
            }
            do throws(BelfryError) {
                try await stopQueued(run, command: command, by: principal)
                return CommandAnswer(command: command, result: .applied, latency: .now - arrived)
            } catch  where error.code == .conflict {
                continue
            }
        }
        throw BelfryError(
            .overloaded, "run \(id) does not take commands at the moment; try again", retryAfter: .seconds(1))
    }

    /// - Returns: nil if the mailbox takes nothing any more.
    private func send(
        _ id: CommandID, to mailbox: RunMailbox, arrived: ContinuousClock.Instant, by principal: Principal
    ) async -> CommandAnswer? {
        await withCheckedContinuation { continuation in
            let command = RunCommand(kind: .stop, id: id, by: principal, arrived: arrived) {
                continuation.resume(returning: $0)
            }
            if !mailbox.post(.command(command)) { continuation.resume(returning: nil) }
        }
    }

    private func stopQueued(_ run: RunRecord, command: CommandID, by principal: Principal) async throws(BelfryError) {
        var change = RunChange.end(run, .stopped, .operator, error: nil, by: principal, at: configuration.clock.now())
        change.audit.insert(
            AuditDraft(
                by: principal, action: "run.stop", subject: run.id.description,
                detail: ["command": .string(command.description)]
            ),
            at: 0
        )
        try await store.commit(change)
    }
}
