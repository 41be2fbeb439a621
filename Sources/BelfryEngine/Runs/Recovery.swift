import BelfryAgents
import BelfryCore
import BelfryRules
import BelfryStore
import Logging

/// A run that goes on after a restart, with the rows of its earlier life; or one that was just claimed, without any.
struct InterruptedRun: Sendable {
    var run: RunRecord
    /// Nil if it is still to be read.
    var event: Event?
    var steps: [StepRecord]
}

/// What the hub does at its start with the runs that a crash or a stop of the hub has left unfinished.
///
/// - a finished step never runs again;
/// - an `agent` step that was running begins anew, as its next attempt;
/// - a `command` step that was running is not repeated: it may have done half its work. The run fails, `interrupted`;
/// - a run that was told to stop is ended, not restarted;
/// - whatever still runs under an unfinished step is killed first.
struct Recovery {
    let services: RunServices

    /// Ends what must be ended. - Returns: the runs that go on.
    func interruptedRuns() async throws -> [InterruptedRun] {
        let outcome = await OrphanReaper.reap(hub: services.configuration.hubID, steps: nil)
        if outcome.killed > 0 {
            services.logger.notice(
                "processes of interrupted steps were killed", metadata: ["count": "\(outcome.killed)"])
        }
        if !outcome.survivors.isEmpty {
            services.logger.error("processes of interrupted steps survive", metadata: ["pids": "\(outcome.survivors)"])
        }
        var goingOn: [InterruptedRun] = []
        for run in try await services.store.unfinishedRuns() {
            if let run = try await recover(run) { goingOn.append(run) }
        }
        if !goingOn.isEmpty {
            services.logger.notice("interrupted runs go on", metadata: ["count": "\(goingOn.count)"])
        }
        return goingOn
    }

    private func recover(_ run: RunRecord) async throws(BelfryError) -> InterruptedRun? {
        var steps = try await services.store.steps(of: run.id)
        let current = steps.firstIndex { $0.state == .running }
        let closing = try await closingFrames(of: run)
        if run.state == .stopping || run.stopReason != nil {
            let reason = run.state == .stopping ? run.reason : run.stopReason
            var change = RunChange.end(run, .stopped, reason ?? .operator, error: nil, at: services.now)
            if let current { change.end(&steps[current], .stopped, error: nil, at: services.now) }
            change.frames = closing + change.frames
            try await services.commit(change)
            return nil
        }
        if let current, steps[current].kind == "command" {
            let error = StoredError(
                code: "interrupted",
                message:
                    "the hub stopped while the command ran; it may have done part of its work, so it is not repeated"
            )
            var change = RunChange.end(run, .failed, .interrupted, error: error, at: services.now)
            change.end(&steps[current], .failed, error: error, at: services.now)
            change.frames = closing + change.frames
            try await services.commit(change)
            return nil
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
        let resumed = try await services.commit(change)
        let event = try await services.store.event(run.event).event
        return InterruptedRun(run: resumed, event: event, steps: steps)
    }

    /// Ends the text message that the crash left open, so that no reader waits for its end.
    private func closingFrames(of run: RunRecord) async throws(BelfryError) -> [DraftFrame] {
        guard let open = try await RunSnapshot.read(run.id, from: services.store).openMessage else { return [] }
        return [
            DraftFrame(
                time: services.now, topic: .run(run.id), run: run.id, rule: run.rule, type: .textMessageEnd,
                data: RawJSON(["step": .string(open.step), "messageId": .string(open.message), "interrupted": true])
            )
        ]
    }
}

extension RunChange {
    /// Ends a step with the run.
    fileprivate mutating func end(_ step: inout StepRecord, _ state: StepState, error: StoredError?, at now: Timestamp)
    {
        step.state = state
        step.ended = now
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
