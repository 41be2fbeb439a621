import BelfryAgents
import BelfryCore
import BelfryRules
import BelfryStore
import Logging

/// What the hub does at its start with the runs that a crash or a stop of the hub has left unfinished.
///
/// - a finished step never runs again;
/// - an `agent` step that was running begins anew, as its next attempt, and so does a `send`, under the same id;
/// - a `command` step that was running is not repeated, nor is an agent whose tools have effects: it may have done half
///   its work. The run fails, `interrupted`, unless the step says `retry` and has an attempt left;
/// - steps that wait go on waiting, and what has fallen due meanwhile is done now;
/// - a run that was told to stop is ended, not restarted;
/// - whatever still runs under an unfinished step is killed first.
struct Recovery {
    let services: RunServices

    /// Ends what must be ended. - Returns: the runs that go on.
    func interruptedRuns() async throws -> [RunID] {
        let outcome = await OrphanReaper.reap(hub: services.configuration.hubID, steps: nil)
        if outcome.killed > 0 {
            services.logger.notice(
                "processes of interrupted steps were killed", metadata: ["count": "\(outcome.killed)"])
        }
        if !outcome.survivors.isEmpty {
            services.logger.error("processes of interrupted steps survive", metadata: ["pids": "\(outcome.survivors)"])
        }
        var goingOn: [RunID] = []
        for run in try await services.store.unfinishedRuns() {
            if try await recover(run) { goingOn.append(run.id) }
        }
        if !goingOn.isEmpty {
            services.logger.notice("interrupted runs go on", metadata: ["count": "\(goingOn.count)"])
        }
        for run in try await services.store.overdueRuns() {
            services.mailboxes.post(run.stopReason.map(RunInput.stop) ?? .due, to: run.id)
        }
        return goingOn
    }

    /// What becomes of one run of which nobody knows how far its steps have come.
    /// - Returns: whether it goes on.
    func recover(_ run: RunRecord) async throws(BelfryError) -> Bool {
        var steps = try await services.store.steps(of: run.id)
        let closing = try await closingFrames(of: run)
        if run.state == .stopping || run.stopReason != nil {
            let reason = run.state == .stopping ? run.reason : run.stopReason
            var change = RunChange.end(run, .stopped, reason ?? .operator, error: nil, at: services.now)
            for step in steps.indices where steps[step].state == .running || steps[step].state == .waiting {
                change.end(&steps[step], .stopped, error: nil, at: services.now)
            }
            return try await end(run, change, closing)
        }
        if let broken = try await brokenStep(steps, of: run) {
            let error = StoredError(
                code: "interrupted",
                message:
                    "the hub stopped while the step ran; it may have done part of its work, so it is not repeated"
            )
            var change = RunChange.end(run, .failed, .interrupted, error: error, at: services.now)
            for step in steps.indices where steps[step].state == .running || steps[step].state == .waiting {
                let isBroken = step == broken
                change.end(&steps[step], isBroken ? .failed : .stopped, error: isBroken ? error : nil, at: services.now)
            }
            return try await end(run, change, closing)
        }
        var change = RunChange(run: run.id, from: [run.state], to: .running, attempt: run.attempt + 1)
        change.frames =
            closing + [
                DraftFrame(
                    time: services.now, topic: .runs, run: run.id, rule: run.rule, type: .runState,
                    data: RawJSON(["state": "running", "reason": "interrupted", "attempt": .int(run.attempt + 1)])
                )
            ]
        change.audit = [AuditDraft(by: .hub, action: "run.resumed", subject: run.id.description)]
        try await services.commit(change)
        return true
    }

    private func end(
        _ run: RunRecord, _ ending: RunChange, _ closing: [DraftFrame]
    ) async throws(BelfryError) -> Bool {
        var change = ending
        change.frames = closing + change.frames
        change.due = .some(nil)
        for var approval in try await services.store.approvals(of: run.id) where approval.decision == nil {
            approval.close(.void, reason: "the run has ended", by: .hub, at: services.now)
            change.approvals.append(approval)
            change.frames.insert(approval.closingFrame(at: services.now), at: 0)
            change.audit.append(approval.closingAudit(by: .hub))
        }
        try await services.commit(change)
        return false
    }

    /// The place of a step that ran, may have had effects and is not tried again.
    private func brokenStep(_ steps: [StepRecord], of run: RunRecord) async throws(BelfryError) -> Int? {
        let candidates = steps.indices.filter {
            steps[$0].state == .running && ["command", "agent"].contains(steps[$0].kind)
        }
        guard !candidates.isEmpty else { return nil }
        let rule = try? await services.registry.rule(named: run.rule, version: run.ruleVersion)
        return candidates.first { index in
            // Without the rule nobody knows what the tools of an agent can do; the run ends when it is loaded.
            guard let step = rule?.steps[steps[index].index] else { return steps[index].kind == "command" }
            return step.isUnrepeatable && steps[index].attempt > step.retry?.times ?? 0
        }
    }

    /// Ends the text messages that the crash left open, so that no reader waits for their end.
    private func closingFrames(of run: RunRecord) async throws(BelfryError) -> [DraftFrame] {
        try await RunSnapshot.read(run.id, from: services.store).openMessages.map { open in
            DraftFrame(
                time: services.now, topic: .run(run.id), run: run.id, rule: run.rule, type: .textMessageEnd,
                data: RawJSON(["step": .string(open.step), "messageId": .string(open.message), "interrupted": true])
            )
        }
    }
}

extension RunChange {
    /// Ends a step with the run.
    fileprivate mutating func end(_ step: inout StepRecord, _ state: StepState, error: StoredError?, at now: Timestamp)
    {
        step.state = state
        step.ended = now
        step.due = nil
        step.error = error
        steps.append(step)
        var members: JSONObject = [
            "step": .string(step.name), "state": .string(state.rawValue), "attempt": .int(step.attempt),
        ]
        if let error { members["error"] = error.json }
        frames.insert(
            DraftFrame(
                time: now, topic: .runs, run: run, rule: frames.first?.rule, type: .stepFinished,
                data: RawJSON(.object(members))
            ),
            at: 0
        )
    }
}
