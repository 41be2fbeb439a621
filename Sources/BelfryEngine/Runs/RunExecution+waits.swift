import BelfryCore
import BelfryRules
import BelfryStore

/// Steps that wait for a time.
extension RunExecution {
    mutating func wait(for wait: WaitStep, step: Int, in change: inout RunChange) -> [RunStateMachine.Action] {
        start(step, in: &change)
        switch wait {
        case .duration(let duration):
            self.wait(step, until: services.now + duration, "time", in: &change)
            machine.waits(step)
            return []
        case .event:
            let error = BelfryError(.internal, "a step can't wait for an event yet")
            end(step, .failed, with: StepResult(end: .failed(.error), error: error), in: &change)
            change.error = StoredError(error)
            return machine.ended(step, .failed(.error))
        }
    }

    /// What is due of the steps that wait.
    mutating func takeDue(in group: inout DiscardingTaskGroup) async throws(BelfryError) {
        var change = change()
        if let actions = endIfOutOfTime(in: &change) { return try await carryOut(actions, change, in: &group) }
        var actions: [RunStateMachine.Action] = []
        let now = services.now
        for step in steps.indices where machine.phases[step] == .waiting {
            guard let due = steps[step].due, due <= now else { continue }
            switch rule.steps[step].action {
            case .approve(let question): actions += expire(step, question, in: &change)
            case .wait:
                endWait(step, .succeeded, in: &change)
                actions += machine.ended(step, .over)
            case .agent where approvals[step]?.decision == nil && approvals[step] != nil:
                actions += expire(step, in: &change)
            case .agent, .command, .send:
                machine.resumed(step)
                actions.append(.consider(step: step))
            }
        }
        // A timer that fired early, or was overtaken, is set again.
        timer = nil
        try await carryOut(actions, change, in: &group)
    }
}
