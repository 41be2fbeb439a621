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
        case .event(let wait): return begin(wait, step: step, in: &change)
        }
    }

    /// What is due of the steps that wait: events that have come for them, and times that are over.
    mutating func takeDue(in group: inout DiscardingTaskGroup) async throws(BelfryError) {
        var change = change()
        if let actions = endIfOutOfTime(in: &change) { return try await carryOut(actions, change, in: &group) }
        let events = try await eventsThatCame()
        let before = standing
        var actions: [RunStateMachine.Action] = []
        let now = services.now
        for step in steps.indices where machine.phases[step] == .waiting {
            if let event = events[step] {
                actions += resume(step, by: event, in: &change)
                continue
            }
            guard let due = steps[step].due, due <= now else { continue }
            switch rule.steps[step].action {
            case .approve: actions += expire(step, in: &change)
            case .wait(.duration):
                endWait(step, .succeeded, in: &change)
                actions += machine.ended(step, .over)
            case .wait(.event(let wait)): actions += expire(step, wait, in: &change)
            case .agent where approvals[step]?.decision == nil && approvals[step] != nil:
                actions += expire(step, in: &change)
            case .agent, .command, .send:
                machine.resumed(step)
                actions.append(.consider(step: step))
            }
        }
        warn(in: &change)
        // A timer that fired early, or was overtaken, is set again.
        timer = nil
        do throws(BelfryError) {
            try await carryOut(actions, change, in: &group)
        } catch  where error.saysEventCame {
            // In this very moment. Each step gets one event, so this ends.
            standing = before
            try await takeDue(in: &group)
        }
    }
}
