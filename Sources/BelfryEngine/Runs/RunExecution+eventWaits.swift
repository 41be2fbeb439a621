import BelfryCore
import BelfryRules
import BelfryStore
import Logging

/// Steps that wait for an event.
///
/// No event falls between looking back and waiting, because the wait is stored first: an event that is committed behind it
/// finds it there (and was matched with it, see `Registry+waits`); one that was committed before has a sequence that looking
/// back covers, whenever that is done, also after a crash. And none counts twice: the first to be written with the wait, or
/// taken by the step's end, is its event.
extension RunExecution {
    /// An event that has come for a step.
    struct ArrivedEvent {
        var id: EventID
        /// Nil: it is gone.
        var event: Event?
        /// Its own transaction has noted it with the wait; else it was found by looking back.
        var isNoted: Bool
    }

    /// A step begins to wait; it fails if the run has not got what its event would be known by.
    mutating func begin(_ wait: EventWait, step: Int, in change: inout RunChange) -> [RunStateMachine.Action] {
        switch preparation.awaitedValues(wait) {
        case .success(let values):
            let now = services.now
            change.waits.append(
                EventWaitRecord(
                    step: step, name: steps[step].name, key: GroupKey(values), lookBack: wait.lookBack.map { now - $0 })
            )
            self.wait(step, until: now + wait.within, "event", in: &change)
            machine.waits(step)
            return []
        case .failure(let missing):
            let error = BelfryError(
                .missingAttribute,
                "step \(steps[step].name) can't know its event: the run has nothing at \(missing.paths.joined(separator: ", "))"
            )
            end(step, .failed, with: StepResult(end: .failed(.error), error: error), in: &change)
            change.error = StoredError(error)
            return machine.ended(step, .failed(.error))
        }
    }

    /// The event of a step is there.
    mutating func resume(_ step: Int, by came: ArrivedEvent, in change: inout RunChange) -> [RunStateMachine.Action] {
        arrived[step] = came.event
        if !came.isNoted {
            change.yieldsToEvents.insert(step)
            change.found[step] = came.id
        }
        endWait(step, .succeeded, data: ["event": .string(came.id.description)], in: &change)
        return machine.ended(step, .over)
    }

    /// No event has come in time: the step fails, or ends with its default.
    mutating func expire(_ step: Int, _ wait: EventWait, in change: inout RunChange) -> [RunStateMachine.Action] {
        change.yieldsToEvents.insert(step)
        if let output = preparation.defaultOutput(of: step) {
            endWait(step, .succeeded, reason: .expired, output: output, in: &change)
            return machine.ended(step, .over)
        }
        let error = StoredError(
            code: EndReason.timeout.rawValue,
            message: "no event came for step \(steps[step].name) within \(wait.within.shorthand)")
        steps[step].error = error
        change.error = error
        endWait(step, .failed, reason: .expired, in: &change)
        return machine.ended(step, .failed(.timeout))
    }

    /// What has come for the steps that wait.
    func eventsThatCame() async throws(BelfryError) -> [Int: ArrivedEvent] {
        let waiting = steps.indices.filter { machine.phases[$0] == .waiting && rule.steps[$0].eventWait != nil }
        guard !waiting.isEmpty else { return [:] }
        return try await services.patiently { () throws(BelfryError) in
            var came: [Int: ArrivedEvent] = [:]
            for record in try await services.store.eventWaits(of: run.id) where waiting.contains(record.step) {
                guard let wait = rule.steps[record.step].eventWait else { continue }
                if let id = record.event {
                    came[record.step] = ArrivedEvent(id: id, event: try await services.event(id), isNoted: true)
                } else if let since = record.lookBack {
                    if let event = try await lookBack(for: wait, record, since: since) {
                        came[record.step] = ArrivedEvent(id: event.id, event: event, isNoted: false)
                    } else {
                        services.store.noteLookedBack(record, of: run.id)
                    }
                }
            }
            return came
        }
    }

    /// The first event since then, of the last ``Limits/waitLookBackEventsMax`` before the wait, that the step waits for.
    private func lookBack(
        for wait: EventWait, _ record: EventWaitRecord, since: Timestamp
    ) async throws(BelfryError) -> Event? {
        let matcher = WaitMatcher(wait)
        let scan = EventScan(from: since, to: Timestamp(milliseconds: .max)) { matcher.mayMatch(source: $0, type: $1) }
        let begin = try await services.store.lastSequence(
            receivedBefore: since - Limits.waitLookBackDisorder, through: record.lastStored)
        var through = max(begin, record.lastStored - Limits.waitLookBackEventsMax)
        if through > begin {
            services.logger.warning(
                "more events came than a step looks back at",
                metadata: ["run.id": "\(run.id)", "step": "\(record.name)", "left.out": "\(through - begin)"])
        }
        while through < record.lastStored {
            let page = try await services.store.scan(scan, after: through, last: record.lastStored)
            for event in page.events.compactMap(\.event) where event.id != run.event {
                guard let values = matcher.laterValues(in: event), GroupKey(values).bytes == record.key else {
                    continue
                }
                return event
            }
            through = page.through
        }
        return nil
    }

    // MARK: - Commits

    /// Commits what has steps begin to wait, when events are held against their waits.
    mutating func commitWaits(_ change: RunChange, orIfSpent ending: RunChange?) async throws(BelfryError) {
        let version = RuleVersion(rule: run.rule, version: run.ruleVersion)
        run = try await services.registry.holding(version, rule) { [services] generation throws(BelfryError) in
            var change = change
            change.generation = generation
            return try await services.commit(change, orIfSpent: ending)
        }
    }

    /// A version that is not today's any more may be let go when one of its waits is over.
    func releaseWaits(_ change: RunChange) async {
        let hasEnded = change.steps.contains { $0.state.isEnded && rule.steps[$0.index].eventWait != nil }
        let version = RuleVersion(rule: run.rule, version: run.ruleVersion)
        guard hasEnded, !services.registry.snapshot.isCurrent(version) else { return }
        await services.registry.releaseWaits()
    }

    /// How the run stands in memory: taken back where a change was not to be.
    var standing:
        (steps: [StepRecord], machine: RunStateMachine, approvals: [Int: ApprovalRecord], arrived: [Int: Event])
    {
        get { (steps, machine, approvals, arrived) }
        set {
            (steps, machine, approvals, arrived) = newValue
            timer = nil
        }
    }
}

extension BelfryError {
    /// A step was to end without the event that has come for it.
    var saysEventCame: Bool { code == .conflict && details["event"] != nil }
}
