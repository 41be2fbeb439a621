import BelfryCore
import BelfryCrypto
import BelfryRules
import BelfryStore

/// Questions to a person.
extension RunExecution {
    mutating func ask(_ question: ApproveStep, step: Int, in change: inout RunChange) {
        let (message, guards, digest) = preparation.question(step)
        ask(
            ApprovalRecord(
                id: ApprovalID(at: services.now), run: run.id, rule: run.rule, step: step, name: steps[step].name,
                message: message, schema: question.schema.map { RawJSON($0.json) }, guards: guards, digest: digest,
                requested: services.now, expires: services.now + question.expires),
            in: &change)
    }

    /// An agent has called a tool about which a person is to be asked first.
    mutating func ask(_ question: ToolQuestion, step: Int, in change: inout RunChange) {
        let call: JSONValue = [
            "id": .string(question.call), "tool": .string(question.tool), "arguments": question.arguments,
        ]
        var approval = ApprovalRecord(
            id: ApprovalID(at: services.now), run: run.id, rule: run.rule, step: step, name: steps[step].name,
            message: question.message(step: steps[step].name),
            schema: RawJSON(question.schema), guards: [steps[step].name], digest: Digest.sha256(call.encoded()),
            requested: services.now, expires: services.now + question.lifetime)
        approval.call = RawJSON(call)
        steps[step].conversation = question.conversation.row
        ask(approval, in: &change)
    }

    private mutating func ask(_ approval: ApprovalRecord, in change: inout RunChange) {
        let step = approval.step
        approvals[step] = approval
        change.approvals.append(approval)
        var members: JSONObject = [
            "step": .string(approval.name), "approval": .string(approval.id.description),
            "message": .string(approval.message), "expires": .string(approval.expires.description),
            "guards": .array(approval.guards.map(JSONValue.string)),
        ]
        if let schema = approval.schema { members["schema"] = schema.value }
        if let call = approval.call?.value {
            (members["toolCallId"], members["tool"]) = (call["id"], call["tool"])
            members["arguments"] = call["arguments"]
        }
        change.frames.append(frame(.approvalRequested, on: .approvals, members))
        change.audit.append(
            audit(
                "approval.requested",
                ["approval": .string(approval.id.description), "step": .string(approval.name)]))
        wait(step, until: approval.expires, "approval", ["approval": .string(approval.id.description)], in: &change)
        let notice = Notice(
            .runWaiting, .warning, title: "A run of \(run.rule) waits for a decision", text: approval.message,
            event: run.event,
            run: run.id, rule: run.rule)
        change.frames.append(notice.frame(at: services.now))
    }

    /// Takes a decision of a person.
    mutating func take(
        _ decision: Decision, value: JSONValue?, reason: String?, of name: String, by command: RunCommand,
        in group: inout DiscardingTaskGroup
    ) async throws(BelfryError) {
        guard let step = index(of: name) else { return await reject(command, noStep(name)) }
        switch rule.steps[step].action {
        case .approve: break
        case .agent(let agent) where agent.tools.contains(where: \.asks): break
        case .agent, .command, .send, .wait:
            return await reject(command, "step \(name) is of kind \(steps[step].kind) and asks nothing")
        }
        guard let approval = approvals[step], approval.decision == nil, machine.phases[step] == .waiting else {
            return await reject(command, undecidable(step))
        }
        if let asked = command.kind.approval, asked != approval.id {
            let closing = (try? await services.store.approval(asked))?.closing ?? "it is no question of this step"
            return await reject(command, "\(closing); the step asks \(approval.id) now")
        }
        if decision == .approve, let fault = fault(of: value, approval) {
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

    /// Nobody has decided in time. Silence is a no, unless rule and server both say otherwise; a call is then not done.
    mutating func expire(_ step: Int, in change: inout RunChange) -> [RunStateMachine.Action] {
        guard let approval = approvals[step] else { return [] }
        var decision = Decision.deny
        if case .approve(let question) = rule.steps[step].action, question.otherwise == .approve,
            services.configuration.allowsOtherwiseApprove
        {
            decision = .approve
        }
        return decide(approval, decision, value: nil, reason: "expired", by: .hub, in: &change)
    }

    private mutating func decide(
        _ open: ApprovalRecord, _ decision: Decision, value: JSONValue?, reason: String?, by principal: Principal,
        in change: inout RunChange
    ) -> [RunStateMachine.Action] {
        let step = open.step
        close(step, decision, value: value, reason: reason, by: principal, in: &change)
        if open.call != nil {
            // Yes or no, the agent goes on.
            machine.resumed(step)
            return [.consider(step: step)]
        }
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

    /// The questions, open or decided, about steps that are still to be done and that ask for what this one comes to.
    func questions(about step: Int) -> [ApprovalRecord] {
        approvals.values.filter { question in
            question.call == nil
                && steps.indices.contains { other in
                    !machine.phases[other].isOver && question.guards.contains(steps[other].name)
                        && rule.steps[other].asksFor(resultOf: steps[step].name)
                }
        }.sorted { $0.step < $1.step }
    }

    /// Withdraws those that are open, and asks them again.
    mutating func askAnew(_ questions: [ApprovalRecord], in change: inout RunChange) {
        for open in questions where open.decision == nil {
            guard case .approve(let question) = rule.steps[open.step].action else { continue }
            void(open.step, "what it stands before was changed", in: &change)
            ask(question, step: open.step, in: &change)
        }
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
        change.frames.append(approval.closingFrame(at: services.now))
        change.audit.append(approval.closingAudit(by: principal))
    }

    /// What is wrong with the value that comes with a yes; nil: nothing.
    private func fault(of value: JSONValue?, _ approval: ApprovalRecord) -> String? {
        guard let schema = schema(of: approval) else {
            return value == nil || value == .null ? nil : "the question asks for no value"
        }
        guard let value else {
            // A call can be allowed as it is.
            return approval.call != nil ? nil : "the question asks for a value: approve with one that its schema allows"
        }
        let isCall = approval.call != nil
        let faults = schema.faults(in: value, named: isCall ? "arguments" : "value")
        guard !faults.isEmpty else { return nil }
        let what = isCall ? "the arguments do not fit: " : "the value does not fit: "
        return what + faults.map(\.description).joined(separator: "; ")
    }

    private func schema(of approval: ApprovalRecord) -> JSONSchema? {
        switch rule.steps[approval.step].action {
        case .approve(let question): question.schema
        case .agent(let agent): agent.tools.first { $0.name == approval.call?.value["tool"]?.string }?.input
        case .command, .send, .wait: nil
        }
    }

    private func undecidable(_ step: Int) -> String { approvals[step]?.closing ?? "the step has not asked yet" }
}

extension ApprovalRecord {
    /// What everybody reads of a question that is open no longer.
    func closingFrame(at now: Timestamp) -> DraftFrame {
        var members: JSONObject = [
            "step": .string(name), "approval": .string(id.description), "decision": .optional(decision?.rawValue),
            "by": .optional(decidedBy),
        ]
        if let value { members["value"] = value.value }
        if let reason { members["reason"] = .string(reason) }
        return DraftFrame(
            time: now, topic: .approvals, run: run, rule: rule, type: .approvalDecided, data: RawJSON(.object(members)))
    }

    func closingAudit(by principal: Principal) -> AuditDraft {
        AuditDraft(
            by: principal, action: "approval.\(decision?.rawValue ?? "")", subject: id.description,
            detail: ["run": .string(run.description), "step": .string(name)])
    }

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
