import BelfryCore
import BelfryRules
import BelfryStore

/// What operators change of a live run.
extension RunExecution {
    mutating func adjust(
        _ adjustment: RunAdjustment, by command: RunCommand, in group: inout DiscardingTaskGroup
    ) async throws(BelfryError) {
        let before = (run: run, steps: steps)
        let earlier = preparation
        if let fault = await apply(adjustment) {
            (run, steps) = before
            return await reject(command, fault)
        }
        let changed = adjustment.steps.keys.compactMap(index(of:)).sorted()
        if let name = stepWithOpenCall(of: adjustment) {
            (run, steps) = before
            return await reject(
                command,
                "not_adjustable: step \(name) waits for a decision about a call in which params stand; decide it first")
        }
        if let who = approver(ofChangesTo: earlier) {
            (run, steps) = before
            return await reject(command, "not_adjustable: \(who) has approved what these steps are to do")
        }
        var change = change()
        change.params = run.params
        change.steps = changed.map { steps[$0] }
        change.frames = [commandFrame(command)]
        change.audit = [commandAudit(command)]
        change.commands = [command.record(.applied)]
        let later = preparation
        let questions = approvals.values.filter { open in
            open.decision == nil && rule.steps[open.step].kind == .approve
                && later.question(open.step).digest != earlier.question(open.step).digest
        }
        askAnew(questions.sorted { $0.step < $1.step }, in: &change)
        var actions: [RunStateMachine.Action] = []
        for step in changed where adjustment.restarts && machine.phases[step] == .running {
            if case .actions(let cut) = machine.restart(step) { actions += cut }
        }
        for step in changed where steps[step].conversation != nil && machine.phases[step] == .waiting {
            void(step, "the step was begun anew", in: &change)
            steps[step].conversation = nil
            machine.resumed(step)
            actions.append(.consider(step: step))
        }
        try await carryOut(actions, change, in: &group)
        command.answer(.applied)
    }

    /// What a person has agreed to is not changed behind their back, be it by a prompt or by a parameter.
    /// - Returns: who has approved something that is still to be done, and would now be done otherwise.
    private func approver(ofChangesTo earlier: StepPreparation) -> String? {
        approvals.values.first { approval in
            approval.decision == .approve && approval.call == nil
                && steps.indices.contains { step in
                    !machine.phases[step].isOver && approval.guards.contains(steps[step].name)
                        && earlier.intent(of: step) != preparation.intent(of: step)
                }
        }.map { $0.decidedBy ?? "somebody" }
    }

    /// A step that waits for a decision about a call which these parameters would change; nil: there is none.
    private func stepWithOpenCall(of adjustment: RunAdjustment) -> String? {
        guard !adjustment.params.isEmpty else { return nil }
        return steps.indices.first { step in
            guard case .agent(let agent) = rule.steps[step].action, steps[step].conversation != nil else {
                return false
            }
            return machine.phases[step] == .waiting && agent.tools.contains { $0.action.asksFor(root: "params") }
        }.map { steps[$0].name }
    }

    /// Merges what an operator has set into the run and its steps.
    /// - Returns: why it can't be; then some of it may be merged.
    private mutating func apply(_ adjustment: RunAdjustment) async -> String? {
        guard !adjustment.params.isEmpty || !adjustment.steps.isEmpty else {
            return "nothing to adjust: give params or steps"
        }
        var params = run.params?.value.object ?? [:]
        for member in adjustment.params.members {
            guard let parameter = rule.params.first(where: { $0.name == member.key }) else {
                let known = rule.params.map(\.name).joined(separator: ", ")
                return "not_adjustable: the rule has no parameter '\(member.key.plain(bytesMax: 80))'"
                    + (known.isEmpty ? "" : "; there are: \(known)")
            }
            if member.value == .null {
                params[member.key] = nil
                continue
            }
            let faults = parameter.schema.faults(in: member.value, named: "params.\(member.key)")
            if let fault = faults.first { return fault.description }
            params[member.key] = member.value
        }
        run.params = RawJSON(.object(params))
        for (name, step) in adjustment.steps.sorted(by: { $0.key < $1.key }) {
            if let fault = await apply(step, to: name, restarts: adjustment.restarts) { return fault }
        }
        return nil
    }

    private mutating func apply(_ adjustment: RunAdjustment.Step, to name: String, restarts: Bool) async -> String? {
        guard let step = index(of: name) else { return noStep(name) }
        guard case .agent(let agentStep) = rule.steps[step].action else {
            return "not_adjustable: step \(name) is of kind \(steps[step].kind), and has no prompt"
        }
        switch machine.phases[step] {
        case .waiting where steps[step].conversation != nil && !restarts:
            return "step \(name) has begun and waits for a decision about a call; restart: true begins it anew"
        case .pending, .due, .waiting: break
        case .running where restarts: break
        case .running: return "step \(name) runs already; restart: true begins it anew"
        case .cutting, .ended: return "step \(name) is over"
        }
        var data = steps[step].data?.value.object ?? [:]
        var adjusted = data["adjusted"]?.object ?? [:]
        if case .some(let prompt) = adjustment.prompt { adjusted["prompt"] = prompt.map(JSONValue.string) }
        let adjustable =
            (try? await services.registry.agent(named: agentStep.agent, asOf: run.created))?.adjustable ?? []
        for member in adjustment.agent.members {
            guard let field = adjustable.first(where: { $0.rawValue == member.key }) else {
                let known = adjustable.map(\.rawValue).sorted().joined(separator: ", ")
                return "not_adjustable: '\(member.key.plain(bytesMax: 80))' of agent \(agentStep.agent)"
                    + (known.isEmpty ? "; nothing of it is adjustable" : "; adjustable are: \(known)")
            }
            if member.value != .null, let fault = field.fault(of: member.value) { return "\(member.key): \(fault)" }
            adjusted[member.key] = member.value == .null ? nil : member.value
        }
        data["adjusted"] = adjusted.isEmpty ? nil : .object(adjusted)
        steps[step].data = data.isEmpty ? nil : RawJSON(.object(data))
        return nil
    }
}
