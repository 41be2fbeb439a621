import BelfryAgents
import BelfryCore
import BelfryRules
import BelfryStore
import Logging

/// What a change says of each transition: rows, frames, audit.
extension RunExecution {
    mutating func begin(_ step: Int, in change: inout RunChange) {
        steps[step].state = .running
        steps[step].output = nil
        steps[step].error = nil
        steps[step].conversation = nil
        start(step, in: &change)
        change.steps.append(steps[step])
    }

    /// What an agent waited for is decided, and the same attempt goes on.
    mutating func goOn(_ step: Int, in change: inout RunChange) {
        steps[step].state = .running
        steps[step].due = nil
        change.steps.append(steps[step])
        change.frames.append(
            frame(
                .stepState,
                ["step": .string(steps[step].name), "state": .string(StepState.running.rawValue)]))
    }

    /// Another attempt at a step begins.
    mutating func start(_ step: Int, in change: inout RunChange) {
        steps[step].attempt += 1
        // A message's own time is that of its first attempt.
        if steps[step].started == nil || rule.steps[step].kind != .send { steps[step].started = services.now }
        steps[step].ended = nil
        steps[step].due = nil
        change.frames.append(
            frame(
                .stepStarted,
                [
                    "step": .string(steps[step].name), "kind": .string(steps[step].kind),
                    "attempt": .int(steps[step].attempt),
                ])
        )
        change.audit.append(audit("step.started", ["step": .string(steps[step].name)]))
    }

    /// A step that does not do what it is there for: it was passed over, or cut.
    /// - Parameter output: in place of its own; nil: what the rule has for that (`default`).
    mutating func skip(_ step: Int, _ reason: StepReason, output: JSONValue?, in change: inout RunChange) {
        steps[step].state = .skipped
        steps[step].reason = reason
        steps[step].ended = services.now
        steps[step].due = nil
        steps[step].output =
            output.map { preparation.outputText($0, of: step) } ?? preparation.defaultOutput(of: step)
        steps[step].error = nil
        finish(step, ["reason": .string(reason.rawValue)], in: &change)
    }

    mutating func end(_ step: Int, _ state: StepState, with result: StepResult, in change: inout RunChange) {
        steps[step].state = state
        steps[step].ended = services.now
        steps[step].output = result.output
        steps[step].error = state == .failed ? result.error.map(StoredError.init) : nil
        steps[step].inputTokens = result.usage.inputTokens
        steps[step].outputTokens = result.usage.outputTokens
        steps[step].cost = result.cost
        steps[step].keep(result.sent, at: services.now)
        closeMessage(result, in: &change)
        finish(step, ["attempt": .int(steps[step].attempt)], in: &change)
    }

    /// A step can't even be skipped.
    mutating func fail(
        _ step: Int, _ fault: String, in change: inout RunChange
    ) -> [RunStateMachine.Action] {
        let error = BelfryError(.outputInvalid, fault)
        end(step, .failed, with: StepResult(end: .failed(.error), error: error), in: &change)
        change.error = StoredError(error)
        return machine.ended(step, .failed(.error))
    }

    /// A step that waited is over.
    mutating func endWait(
        _ step: Int, _ state: StepState, reason: StepReason? = nil, output: String? = nil, data: JSONObject? = nil,
        in change: inout RunChange
    ) {
        steps[step].state = state
        steps[step].reason = reason
        steps[step].ended = services.now
        steps[step].due = nil
        steps[step].output = output
        if let data { steps[step].data = RawJSON(.object(data)) }
        var detail: JSONObject = [:]
        if let reason { detail["reason"] = .string(reason.rawValue) }
        detail["event"] = data?["event"]
        finish(step, detail, in: &change)
    }

    /// A step that waited is stopped with its run.
    mutating func abandon(_ step: Int, in change: inout RunChange) {
        void(step, "the run has ended", in: &change)
        endWait(step, .stopped, in: &change)
    }

    private mutating func finish(_ step: Int, _ detail: JSONObject, in change: inout RunChange) {
        steps[step].conversation = nil
        change.steps.append(steps[step])
        var members: JSONObject = [
            "step": .string(steps[step].name), "state": .string(steps[step].state.rawValue),
        ]
        for member in detail.members { members[member.key] = member.value }
        if let error = steps[step].error { members["error"] = error.json }
        if let usage = steps[step].usage { members["usage"] = usage }
        if let status = steps[step].httpStatus { members["http_status"] = .int(status) }
        change.frames.append(frame(.stepFinished, members))
        var noted: JSONObject = ["step": .string(steps[step].name)]
        if let reason = steps[step].reason { noted["reason"] = .string(reason.rawValue) }
        if let event = steps[step].arrivedEvent { noted["event"] = .string(event.description) }
        change.audit.append(audit("step.\(steps[step].state.rawValue)", noted))
    }

    /// A step waits: for its next attempt, a person, a time or an event.
    mutating func wait(
        _ step: Int, until due: Timestamp, _ reason: String, _ detail: JSONObject = [:], in change: inout RunChange
    ) {
        steps[step].state = .waiting
        steps[step].due = due
        change.steps.append(steps[step])
        var members: JSONObject = [
            "step": .string(steps[step].name), "state": .string(StepState.waiting.rawValue), "for": .string(reason),
            "due": .string(due.description),
        ]
        for member in detail.members { members[member.key] = member.value }
        change.frames.append(frame(.stepState, members))
    }

    /// An attempt has failed, and there is another one.
    mutating func postpone(_ step: Int, until due: Timestamp, _ result: StepResult, in change: inout RunChange) {
        closeMessage(result, in: &change)
        steps[step].error = result.error.map(StoredError.init)
        steps[step].keep(result.sent, at: services.now)
        var detail: JSONObject = ["attempt": .int(steps[step].attempt)]
        if let status = steps[step].httpStatus { detail["http_status"] = .int(status) }
        if let error = steps[step].error { detail["error"] = error.json }
        wait(step, until: due, "retry", detail, in: &change)
        change.audit.append(audit("step.postponed", ["step": .string(steps[step].name)]))
    }

    /// No reader is left to wait for the rest of a text.
    func closeMessage(_ result: StepResult, in change: inout RunChange) {
        guard let messageID = result.messageID, let name = result.step else { return }
        change.frames.append(
            DraftFrame(
                time: services.now, topic: .run(run.id), run: run.id, rule: run.rule, type: .textMessageEnd,
                data: RawJSON(["step": .string(name), "messageId": .string(messageID)])
            )
        )
    }

    // MARK: - The run

    func end(_ state: RunState, _ reason: EndReason, in change: inout RunChange) {
        change.to = state
        change.reason = reason
        // What a stopped step said of being cut is no error of the run. What a step beside others failed of was committed
        // before they were gone.
        change.error = state == .stopped ? nil : change.error ?? run.error
        var members: JSONObject = ["state": .string(state.rawValue), "reason": .string(reason.rawValue)]
        if let error = change.error { members["error"] = error.json }
        // Of a budget that is used up one notice tells, and not each run that it ends.
        if state == .failed, reason != .budget {
            change.frames.append(run.failureNotice(change.error, at: services.now))
        }
        change.frames.append(frame(state == .failed ? .runError : .runFinished, members))
        change.audit.append(audit("run.\(state.rawValue)", ["reason": .string(reason.rawValue)]))
    }

    /// The run is told to stop. With nothing at work it ends in the same transaction.
    func stopping(_ reason: EndReason, isAtWork: Bool) -> RunChange {
        var change = change()
        change.reason = reason
        guard isAtWork else { return change }
        change.to = .stopping
        change.frames = [frame(.runState, ["state": .string(RunState.stopping.rawValue)])]
        return change
    }

    func logFailure(_ change: RunChange) {
        services.logger.warning(
            "a run failed",
            metadata: [
                "run.id": "\(run.id)", "rule.name": "\(run.rule)", "reason": "\(change.reason?.rawValue ?? "-")",
                "error": "\(change.error.map { "\($0.code): \($0.message)" } ?? "-")",
            ]
        )
    }

    // MARK: - Frames and audit

    func frame(_ type: FrameType, on topic: Topic = .runs, _ members: JSONObject) -> DraftFrame {
        DraftFrame(
            time: services.now, topic: topic, run: run.id, rule: run.rule, type: type, data: RawJSON(.object(members))
        )
    }

    func audit(_ action: String, _ detail: JSONObject) -> AuditDraft {
        AuditDraft(by: .hub, action: action, subject: run.id.description, detail: detail)
    }

    func commandFrame(_ command: RunCommand) -> DraftFrame {
        var members: JSONObject = [
            "command": .string(command.id.description), "kind": .string(command.kind.name),
            "by": .string(command.by.name),
        ]
        if let step = command.kind.step { members["step"] = .string(step) }
        return frame(.command, members)
    }

    func commandAudit(_ command: RunCommand) -> AuditDraft {
        var detail: JSONObject = ["command": .string(command.id.description)]
        if let step = command.kind.step { detail["step"] = .string(step) }
        return AuditDraft(
            by: command.by, action: "run.\(command.kind.name)", subject: run.id.description, detail: detail)
    }
}

extension JSONValue {
    /// A text as it is, everything else as JSON.
    var plainText: String { string ?? text }
}

extension RuleDefinition {
    /// The agents that its steps name.
    var agents: [String] {
        steps.compactMap { step in
            if case .agent(let agentStep) = step.action { agentStep.agent } else { nil }
        }
    }
}

extension StepDefinition {
    /// Whether half of it may have an effect: what is under way is better left to end.
    var hasEffects: Bool {
        switch action {
        case .command, .send: true
        case .agent, .approve, .wait: false
        }
    }

    /// Whether it must not be done again by itself after the hub was cut off in the middle of it. A send may: its
    /// receiver knows a repeated message by its id.
    var isUnrepeatable: Bool {
        switch action {
        case .command: true
        case .agent(let agent): agent.tools.contains { $0.action.hasEffects }
        case .send, .approve, .wait: false
        }
    }
}

extension StepRecord {
    /// The event that it has waited for, and that has come.
    var arrivedEvent: EventID? { data?.value["event"]?.string.flatMap { EventID($0) } }

    /// Where it stands for a run that is read from its rows. What was running begins anew.
    var phase: RunStateMachine.Phase {
        switch state {
        case .pending, .running: .pending
        case .waiting: .waiting
        case .succeeded, .failed, .skipped, .stopped: .ended
        }
    }
}
