import BelfryCore
import BelfryRules
import BelfryStore

/// The time that a run as a whole has (`limits.run_time`), as the version of its rule says it.
extension RunExecution {
    /// When the run ends, whatever it does; nil: it may take any time, or is ending already.
    private var deadline: Timestamp? {
        guard let runTime = rule.limits.runTime, !machine.isEnding, machine.end == nil else { return nil }
        return run.started.map { $0 + runTime }
    }

    /// When the run is to be looked at next.
    var nextDue: Timestamp? { (steps.compactMap(\.due) + [deadline].compactMap(\.self)).min() }

    /// The run begins, or goes on after a crash; one whose time ran out meanwhile begins nothing more.
    mutating func begin(in group: inout DiscardingTaskGroup) async throws(BelfryError) {
        var change = change()
        let actions = endIfOutOfTime(in: &change) ?? machine.begin()
        try await carryOut(actions, change, in: &group)
    }

    /// - Returns: what follows if the time is over; what is at work is cut.
    mutating func endIfOutOfTime(in change: inout RunChange) -> [RunStateMachine.Action]? {
        guard let deadline, deadline <= services.now else { return nil }
        let allowed = rule.limits.runTime?.shorthand ?? ""
        change.error = StoredError(
            code: EndReason.timeout.rawValue, message: "the run took longer than \(allowed) (limits.run_time)")
        return machine.fail(.timeout)
    }
}
