import BelfryCore
import BelfryRules
import BelfryStore

/// Questions to a person.
extension RunExecution {
    mutating func ask(_ question: ApproveStep, step: Int, in change: inout RunChange) {
        let (message, guards, digest) = preparation.question(step)
        let approval = ApprovalRecord(
            id: ApprovalID(at: services.now), run: run.id, rule: run.rule, step: step, name: steps[step].name,
            message: message, schema: question.schema.map { RawJSON($0.json) }, guards: guards, digest: digest,
            requested: services.now, expires: services.now + question.expires)
        approvals[step] = approval
        change.approvals.append(approval)
        var members: JSONObject = [
            "step": .string(approval.name), "approval": .string(approval.id.description), "message": .string(message),
            "expires": .string(approval.expires.description), "guards": .array(guards.map(JSONValue.string)),
        ]
        if let schema = question.schema { members["schema"] = schema.json }
        change.frames.append(frame(.approvalRequested, on: .approvals, members))
        change.audit.append(
            audit(
                "approval.requested",
                ["approval": .string(approval.id.description), "step": .string(approval.name)]))
        wait(step, until: approval.expires, "approval", ["approval": .string(approval.id.description)], in: &change)
        let notice = Notice(
            .runWaiting, .warning, title: "A run of \(run.rule) waits for a decision", text: message, event: run.event,
            run: run.id, rule: run.rule)
        change.frames.append(notice.frame(at: services.now))
    }

    /// Takes a decision of a person.
    mutating func take(
        _ decision: Decision, value: JSONValue?, reason: String?, of name: String, by command: RunCommand,
        in group: inout DiscardingTaskGroup
    ) async throws(BelfryError) {
        guard let step = index(of: name) else { return await reject(command, noStep(name)) }
        guard case .approve(let question) = rule.steps[step].action else {
            return await reject(command, "step \(name) is of kind \(steps[step].kind) and asks nothing")
        }
        guard let approval = approvals[step], machine.phases[step] == .waiting else {
            return await reject(command, undecidable(step))
        }
        if let asked = command.kind.approval, asked != approval.id {
            let closing = (try? await services.store.approval(asked))?.closing ?? "it is no question of this step"
            return await reject(command, "\(closing); the step asks \(approval.id) now")
        }
        if decision == .approve, let fault = fault(of: value, question) {
            return await reject(command, fault)
        }
        var change = change()
        change.frames = [commandFrame(command)]
        change.audit = [commandAudit(command)]
        change.commands = [command.record(.applied)]
        let actions = decide(approval, decision, value: value, reason: reason, by: command.by, in: &change)
        try await carryOut(actions, change, in: &group)
        command.answer(.applied)
    }

    /// Nobody has decided in time.
    mutating func expire(_ step: Int, _ question: ApproveStep, in change: inout RunChange) -> [RunStateMachine.Action] {
        guard let approval = approvals[step] else { return [] }
        let mayApprove = services.configuration.allowsOtherwiseApprove
        let decision: Decision = question.otherwise == .approve && mayApprove ? .approve : .deny
        return decide(approval, decision, value: nil, reason: "expired", by: .hub, in: &change)
    }

    private mutating func decide(
        _ open: ApprovalRecord, _ decision: Decision, value: JSONValue?, reason: String?, by principal: Principal,
        in change: inout RunChange
    ) -> [RunStateMachine.Action] {
        let step = open.step
        close(step, decision, value: value, reason: reason, by: principal, in: &change)
        var told: JSONObject = ["decision": .string(decision.rawValue), "by": .string(principal.name)]
        if let value { told["value"] = value }
        guard decision != .approve else {
            endWait(step, .succeeded, output: value?.plainText ?? "approved", data: told, in: &change)
            return machine.ended(step, .over)
        }
        endWait(
            step, .failed, reason: reason == "expired" ? .expired : .denied, output: "denied", data: told, in: &change)
        return machine.ended(step, goesOnWhenDenied(step) ? .over : .denied)
    }

    func goesOnWhenDenied(_ step: Int) -> Bool {
        if case .approve(let question) = rule.steps[step].action { question.onDeny == .continue } else { true }
    }

    /// A question is not asked any more.
    mutating func void(_ step: Int, _ reason: String, in change: inout RunChange) {
        close(step, .void, value: nil, reason: reason, by: .hub, in: &change)
    }

    private mutating func close(
        _ step: Int, _ decision: Decision, value: JSONValue?, reason: String?, by principal: Principal,
        in change: inout RunChange
    ) {
        guard var approval = approvals[step], approval.decision == nil else { return }
        approval.close(
            decision, value: value.map { RawJSON($0) }, reason: reason, by: principal, at: services.now)
        approvals[step] = approval
        change.approvals.append(approval)
        var members: JSONObject = [
            "step": .string(approval.name), "approval": .string(approval.id.description),
            "decision": .string(decision.rawValue), "by": .string(principal.name),
        ]
        if let value { members["value"] = value }
        if let reason { members["reason"] = .string(reason) }
        change.frames.append(frame(.approvalDecided, on: .approvals, members))
        change.audit.append(
            AuditDraft(
                by: principal, action: "approval.\(decision.rawValue)", subject: approval.id.description,
                detail: ["run": .string(run.id.description), "step": .string(approval.name)]))
    }

    /// What is wrong with the value that comes with a yes; nil: nothing.
    private func fault(of value: JSONValue?, _ question: ApproveStep) -> String? {
        guard let schema = question.schema else {
            return value == nil || value == .null ? nil : "the question asks for no value"
        }
        guard let value else { return "the question asks for a value: approve with one that its schema allows" }
        let faults = schema.faults(in: value, named: "value")
        return faults.isEmpty ? nil : "the value does not fit: " + faults.map(\.description).joined(separator: "; ")
    }

    private func undecidable(_ step: Int) -> String { approvals[step]?.closing ?? "the step has not asked yet" }
}

extension ApprovalRecord {
    /// Why it can't be decided any more, and who was first; nil while it is open.
    var closing: String? {
        guard let decision else { return nil }
        let when = decided.map { " at \($0)" } ?? ""
        let who = decidedBy.map { " by \($0)" } ?? ""
        switch decision {
        case .approve: return "already approved\(who)\(when)"
        case .deny: return reason == "expired" ? "expired\(when)" : "already denied\(who)\(when)"
        case .void: return "the question was withdrawn\(when)\(reason.map { ": \($0)" } ?? "")"
        }
    }
}
