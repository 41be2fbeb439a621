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
    var nextDue: Timestamp? {
        (steps.compactMap(\.due) + steps.indices.compactMap(warning) + [deadline].compactMap(\.self)).min()
    }

    // MARK: - Questions that end soon

    /// When people are told that the step's question ends soon; nil: it asks nothing, or they were told.
    private func warning(of step: Int) -> Timestamp? {
        guard machine.phases[step] == .waiting, let open = approvals[step], open.decision == nil,
            steps[step].data?.value["warned"]?.string != open.id.description
        else { return nil }
        let lifetime = open.expires - open.requested
        guard lifetime >= Limits.approvalWarnedMin else { return nil }
        return open.expires - min(lifetime / 4, Limits.approvalWarningMax)
    }

    mutating func warn(in change: inout RunChange) {
        for step in steps.indices {
            guard let open = approvals[step], let warning = warning(of: step), warning <= services.now,
                services.now < open.expires
            else { continue }
            var data = steps[step].data?.value.object ?? [:]
            data["warned"] = .string(open.id.description)
            steps[step].data = RawJSON(.object(data))
            change.steps.append(steps[step])
            let left = (open.expires - services.now).milliseconds / 60_000
            let notice = Notice(
                .approvalExpiring, .warning,
                title: "A question of \(run.rule) ends in \(left > 0 ? "\(left) min" : "less than a minute")",
                text: open.message, event: run.event, run: run.id, rule: run.rule)
            change.frames.append(notice.frame(at: services.now))
        }
    }

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
