import BelfryAgents
import BelfryCore
import BelfryRules
import BelfryStore

/// Attempts at steps: how they begin, and what follows from their ends.
extension RunExecution {
    mutating func launch(_ step: Int, in group: inout DiscardingTaskGroup) {
        var preparation = preparation
        preparation.approval = approvals[step]
        work.begin(step, preparation, reportingTo: mailbox, in: &group)
    }

    mutating func take(
        _ result: StepResult, of step: Int, in group: inout DiscardingTaskGroup
    ) async throws(BelfryError) {
        work.remove(step)
        steps[step].missing = result.missing
        steps[step].conversation = nil
        if result.error?.leavesWork == true, !commands.stops.isEmpty {
            await confirmNothing(result.error?.message ?? "")
        }
        var change = change()
        change.spent = result.spent
        let actions: [RunStateMachine.Action]
        switch (machine.cut(of: step), result.end) {
        case (.skip?, _):
            closeMessage(result, in: &change)
            skip(step, .operator, output: commands.skip(of: step)?.output, in: &change)
            actions = machine.ended(step, .over)
        case (.restart?, _):
            closeMessage(result, in: &change)
            actions = machine.restarted(step)
        case (.stop?, _), (nil, .stopped):
            end(step, .stopped, with: result, in: &change)
            actions = machine.ended(step, .stopped)
        case (nil, .succeeded):
            end(step, .succeeded, with: result, in: &change)
            actions = machine.ended(step, .over)
        case (nil, .again) where machine.isEnding:
            // The run waited for this attempt alone.
            end(step, .stopped, with: result, in: &change)
            actions = machine.ended(step, .stopped)
        case (nil, .asks(let question)):
            ask(question, step: step, in: &change)
            machine.waits(step)
            actions = []
        case (nil, .again(let due)):
            postpone(step, until: due, result, in: &change)
            machine.waits(step)
            actions = []
        case (nil, .failed(let reason)):
            if let due = retryTime(of: step, after: result) {
                postpone(step, until: due, result, in: &change)
                machine.waits(step)
                actions = []
            } else {
                end(step, .failed, with: result, in: &change)
                change.error = result.error.map(StoredError.init)
                actions = machine.ended(step, .failed(reason))
            }
        }
        if let command = commands.skip(of: step) { change.commands.append(command.record(.applied)) }
        try await carryOut(actions, change, in: &group)
        commands.removeSkip(of: step)?.answer(.applied)
    }

    /// When a step that has failed is tried again; nil: it is not.
    private func retryTime(of step: Int, after result: StepResult) -> Timestamp? {
        guard let retry = rule.steps[step].retry, steps[step].attempt <= retry.times, !machine.isEnding,
            result.end != .failed(.budget)
        else { return nil }
        let before = steps[step].attempt - 1
        return services.now
            + retry.pause.doubled(before, max: Limits.stepRetryPauseMax, random: .random(in: 0..<1))
    }
}
