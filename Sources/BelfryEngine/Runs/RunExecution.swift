import BelfryAgents
import BelfryCore
import BelfryRules
import BelfryStore
import Logging

/// One run in memory: takes what its mailbox holds, asks the ``RunStateMachine`` what follows, commits that, and does it.
///
/// Every transition is one ``RunChange``: rows, frames and audit become true at once. The end of a step and what
/// follows it (the next steps, the run's end) are the same transition. A run of which nothing is at work leaves memory;
/// the next input has it read from its rows again.
struct RunExecution {
    let event: Event
    let rule: RuleDefinition
    let services: RunServices
    let mailbox: RunMailbox
    var run: RunRecord
    var steps: [StepRecord]
    var machine: RunStateMachine
    /// The last question of each step that has asked.
    var approvals: [Int: ApprovalRecord]
    /// The events that steps have waited for.
    var arrived: [Int: Event]
    /// What templates and conditions see of the run's group, as it was when the step's turn came.
    private var group = JSONValue.null
    var work = StepsAtWork()
    var commands = CommandsUnderWay()
    /// When the run's timer is set to.
    var timer: Timestamp?

    /// - Parameters:
    ///   - steps: rows of the run so far; empty for a new one.
    ///   - approvals: what it has asked, oldest first.
    ///   - arrived: the events that steps have waited for.
    init(
        run: RunRecord, event: Event, rule: RuleDefinition, steps: [StepRecord], approvals: [ApprovalRecord],
        arrived: [Int: Event], services: RunServices, mailbox: RunMailbox
    ) {
        self.run = run
        self.event = event
        self.rule = rule
        self.services = services
        self.mailbox = mailbox
        self.steps = rule.steps.enumerated().map { index, step in
            steps.first { $0.index == index }
                ?? StepRecord(run: run.id, index: index, name: step.name, kind: step.kind.rawValue)
        }
        self.approvals = Dictionary(approvals.map { ($0.step, $0) }, uniquingKeysWith: { $1 })
        self.arrived = arrived
        machine = RunStateMachine(
            stages: rule.steps.map(\.stage), phases: self.steps.map(\.phase), hasBegun: run.state == .waiting)
        // Of a run that a crash has cut the timer may have fired already: it is set anew.
        if run.state == .waiting { timer = nextDue }
    }

    /// Returns when the run has ended or only waits, or when the hub shuts down: then its rows say how it stands, and the
    /// next start goes on with it.
    /// - Returns: why it can't go on now; nil: it has ended, or only waits.
    mutating func perform() async -> BelfryError? {
        await withDiscardingTaskGroup { group in
            do throws(BelfryError) {
                if run.state == .running { try await begin(in: &group) }
                while machine.end == nil {
                    if !machine.isAtWork, services.mailboxes.unload(run.id, mailbox) { return nil }
                    guard let input = await mailbox.next() else {
                        // `stopping` is on disk: the next start ends the run.
                        commands.answer(.unconfirmed, reason: "the hub is stopping; its next start goes on with it")
                        return .hubIsStopping
                    }
                    try await take(input, in: &group)
                }
                return nil
            } catch {
                services.logger.error(
                    "a run's change was not committed", metadata: ["run.id": "\(run.id)", "error": "\(error)"])
                commands.answer(.unconfirmed, reason: error.message)
                group.cancelAll()
                return error
            }
        }
    }

    private mutating func take(
        _ input: RunInput, in group: inout DiscardingTaskGroup
    ) async throws(BelfryError) {
        switch input {
        case .claimed(let record):
            guard !machine.hasBegun else { return }
            (run.state, run.started) = (record.state, record.started)
            try await begin(in: &group)
        case .stepEnded(let step, let result): try await take(result, of: step, in: &group)
        case .command(let command): try await take(command, in: &group)
        case .stop(let reason):
            // A command or a request that is under way may have done half its work: it ends first.
            let answer = machine.stop(reason) { !rule.steps[$0].hasEffects }
            guard case .actions(let actions) = answer, !actions.isEmpty else { return }
            try await carryOut(actions, stopping(reason, isAtWork: machine.isAtWork), in: &group)
        case .stopUnconfirmed(let step):
            guard machine.cut(of: step) != nil else { return }
            await confirmNothing("step \(steps[step].name) has not ended after \(Limits.stopConfirmTimeout)")
        case .due: try await takeDue(in: &group)
        }
    }

    // MARK: - Transitions

    /// An empty change of the run as it stands.
    func change() -> RunChange {
        var change = RunChange(run: run.id, from: [run.state])
        change.limits = services.registry.limits(ofRule: run.rule) ?? rule.limits
        return change
    }

    /// Brings about what the machine says, together with what `settled` holds already, in one transaction; then ends
    /// the steps that are cut, and begins those whose turn has come.
    mutating func carryOut(
        _ actions: [RunStateMachine.Action], _ settled: RunChange, in group: inout DiscardingTaskGroup
    ) async throws(BelfryError) {
        let before = (steps: steps, machine: machine, approvals: approvals)
        var change = settled
        var begun: [Int] = []
        var cut: [Int] = []
        var rest = actions[...]
        while let action = rest.popFirst() {
            switch action {
            case .consider(let step): rest += try await consider(step, in: &change, &begun)
            case .cut(let step): cut.append(step)
            case .abandon(let step): abandon(step, in: &change)
            case .end(let state, let reason):
                end(state, reason, in: &change)
                if state == .failed { logFailure(change) }
                return try await commitEnd(change)
            }
        }
        setState(in: &change)
        do throws(BelfryError) {
            // What the hub has told to stop begins no further step.
            change.yieldsToStop = !begun.isEmpty
            let ending = begun.isEmpty ? nil : endingIfSpent(settled, before)
            try await commit(change, orIfSpent: ending)
            if let ending, run.state.isEnded {
                machine.finish(run.state)
                return logFailure(ending)
            }
        } catch  where error.code == .conflict && !begun.isEmpty {
            guard let reason = error.details["stop_reason"]?.string.flatMap(EndReason.init(rawValue:)) else {
                throw error
            }
            (steps, machine, approvals) = before
            guard case .actions(let actions) = machine.stop(reason, cuts: { _ in true }) else { return }
            return try await carryOut(actions, settled, in: &group)
        }
        for step in cut { work.cut(step) }
        for step in begun { launch(step, in: &group) }
        // Only now: what comes since resumes the step, and what came before is there to be found.
        if change.waits.contains(where: { $0.lookBack != nil }) { mailbox.post(.due) }
    }

    /// The turn of a step has come.
    /// - Returns: what follows if it is over already.
    private mutating func consider(
        _ step: Int, in change: inout RunChange, _ begun: inout [Int]
    ) async throws(BelfryError) -> [RunStateMachine.Action] {
        // A step of the same stage has ended the run in this very transition.
        guard machine.phases[step] == .due else { return [] }
        if await preparation.asksForGroup(step: step) {
            group = try await services.patiently { [run, event, services] () throws(BelfryError) in
                try await GroupContext.value(of: run, event: event, from: services.store)
            }
        }
        guard steps[step].attempt > 0 || preparation.isConditionMet(of: step) else {
            if let fault = preparation.fault(ofSkipping: step, output: nil) { return fail(step, fault, in: &change) }
            skip(step, .condition, output: nil, in: &change)
            return machine.ended(step, .over)
        }
        switch rule.steps[step].action {
        case .agent, .command, .send:
            if steps[step].state == .waiting, steps[step].conversation != nil {
                goOn(step, in: &change)
            } else {
                begin(step, in: &change)
            }
            machine.began(step)
            begun.append(step)
            return []
        case .approve(let question):
            start(step, in: &change)
            ask(question, step: step, in: &change)
            machine.waits(step)
            return []
        case .wait(let wait): return self.wait(for: wait, step: step, in: &change)
        }
    }

    /// The run's state and timer follow its steps.
    private mutating func setState(in change: inout RunChange) {
        let next: RunState = machine.isEnding ? run.state : machine.isWaiting ? .waiting : .running
        if change.to == nil, machine.hasBegun, next != run.state {
            change.to = next
            change.frames.append(frame(.runState, ["state": .string(next.rawValue)]))
        }
        setTimer(in: &change)
    }

    mutating func setTimer(in change: inout RunChange) {
        let next = nextDue
        if next != timer { change.due = .some(next) }
        timer = next
    }

    /// Commits the end, and answers who waits for it: `applied` once it is on disk. With a store that fails the answer
    /// does not wait for it to be mended: the steps are gone.
    private mutating func commitEnd(_ ending: RunChange) async throws(BelfryError) {
        var change = ending
        setTimer(in: &change)
        change.commands += commands.records(.applied)
        if !commands.isEmpty {
            do throws(BelfryError) {
                try await commit(change, isPatient: false)
                return commands.answer(.applied)
            } catch {
                commands.answer(
                    .unconfirmed, reason: "the step is gone; the run's end waits for the store: \(error.message)")
            }
        }
        try await commit(change)
    }

    mutating func commit(
        _ change: RunChange, orIfSpent ending: RunChange? = nil, isPatient: Bool = true
    ) async throws(BelfryError) {
        do throws(BelfryError) {
            guard change.waits.isEmpty else { return try await commitWaits(change, orIfSpent: ending) }
            run = try await services.commit(change, orIfSpent: ending, isPatient: isPatient)
            await releaseWaits(change)
        } catch  where error.code == .conflict && run.state == .queued {
            // It was taken for work in this very moment; `claimed` follows.
            var change = change
            change.from = [.running]
            run = try await services.commit(change)
        }
    }

    /// The end of the run in place of its next step; nil if what its rule may use is not limited, or others are at work.
    /// - Parameter before: how it stood when nothing more had begun; what waits then is stopped with the run, and what a
    ///   crash or a restart has cut.
    private func endingIfSpent(
        _ settled: RunChange,
        _ before: (steps: [StepRecord], machine: RunStateMachine, approvals: [Int: ApprovalRecord])
    ) -> RunChange? {
        guard settled.limits.boundsTheDay, work.isEmpty else { return nil }
        var ending = settled
        ending.error = StoredError(.usedUp(settled.limits))
        var ended = self
        (ended.steps, ended.machine, ended.approvals) = before
        for step in steps.indices where [.running, .waiting].contains(before.steps[step].state) {
            ended.abandon(step, in: &ending)
        }
        ended.end(.failed, .budget, in: &ending)
        ending.due = .some(nil)
        return ending
    }

    // MARK: - What steps need

    var preparation: StepPreparation {
        StepPreparation(
            run: run, event: event, rule: rule, group: group, steps: steps, arrived: arrived, services: services)
    }
}
