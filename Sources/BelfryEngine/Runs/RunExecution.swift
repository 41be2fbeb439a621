import BelfryAgents
import BelfryCore
import BelfryRules
import BelfryStore
import Logging

/// One run at work: takes what its mailbox holds, asks the ``RunStateMachine`` what follows, commits that, and does it.
///
/// Every transition is one ``RunChange``: rows, frames and audit become true at once. The end of a step and what
/// follows it (the next step, the run's end) are the same transition.
struct RunExecution {
    private let run: RunRecord
    private let event: Event
    private let rule: RuleDefinition
    private let services: RunServices
    private let mailbox: RunMailbox
    private var steps: [StepRecord]
    private var machine: RunStateMachine
    /// What templates and conditions see of the run's group, as it was when the step's turn came.
    private var group = JSONValue.null
    /// Stops that were committed and wait for the step to be gone.
    private var stops: [RunCommand] = []

    /// - Parameter steps: rows of an earlier life of the run, after a restart of the hub; empty for a new one.
    init(
        run: RunRecord, event: Event, rule: RuleDefinition, steps: [StepRecord], services: RunServices,
        mailbox: RunMailbox
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
        machine = RunStateMachine(
            stepCount: rule.steps.count,
            firstStep: self.steps.firstIndex { !$0.state.isEnded } ?? rule.steps.count
        )
    }

    /// Returns when the run has ended, or when the hub shuts down: then its row still says `running`, and the next
    /// start goes on with it.
    mutating func perform() async {
        var change = RunChange(run: run.id, from: [.running])
        var action = machine.begin()
        do throws(BelfryError) {
            while true {
                if case .perform(let index) = action, await preparation.asksForGroup(step: index) {
                    group = try await services.patiently { [run, event, services] () throws(BelfryError) in
                        try await GroupContext.value(of: run, event: event, from: services.store)
                    }
                }
                switch action {
                case .perform(let index) where !preparation.isConditionMet(of: index):
                    skip(step: index, in: &change)
                    action = machine.stepEnded(.skipped)
                case .perform(let index):
                    change.limits = services.registry.limits(ofRule: run.rule) ?? rule.limits
                    let ending = endingIfSpent(change)
                    switch try await commitBeginning(of: index, with: change, orIfSpent: ending) {
                    case .begun: break
                    case .spent(let ending): return logFailure(ending)
                    case .toldToStop(let reason):
                        action = machine.stopBeforeStep(reason)
                        continue
                    }
                    change = RunChange(run: run.id, from: [.running, .stopping])
                    guard let result = try await performStep(index) else {
                        // `stopping` is on disk: the next start ends the run.
                        answerStops(.unconfirmed, reason: "the hub is stopping; the run is ended at its next start")
                        return
                    }
                    if result.error?.leavesWork == true, !stops.isEmpty {
                        await confirmNothing(result.error?.message ?? "")
                    }
                    let wasCut = machine.isCutting
                    action = machine.stepEnded(result.end)
                    end(step: index, with: result, wasCut: wasCut, in: &change)
                    change.tokens = result.tokens
                    change.error = result.error.map(StoredError.init)
                case .end(let state, let reason):
                    end(state, reason, in: &change)
                    if state == .failed { logFailure(change) }
                    change.limits = services.registry.limits(ofRule: run.rule) ?? rule.limits
                    try await commitEnd(change)
                    return
                case .cut, .reject, .ignore:
                    return
                }
            }
        } catch {
            services.logger.error(
                "a run's change was not committed", metadata: ["run.id": "\(run.id)", "error": "\(error)"])
            answerStops(.unconfirmed, reason: error.message)
        }
    }

    private enum Beginning {
        case begun
        /// The rule has used up its tokens: the run has ended with this change instead.
        case spent(RunChange)
        /// The hub has told the run to stop: nothing is committed.
        case toldToStop(EndReason)
    }

    /// Commits that a step begins, with what `change` holds already.
    private mutating func commitBeginning(
        of index: Int, with change: RunChange, orIfSpent ending: RunChange?
    ) async throws(BelfryError) -> Beginning {
        let before = steps[index]
        var beginning = change
        beginning.yieldsToStop = true
        begin(step: index, in: &beginning)
        do throws(BelfryError) {
            let committed = try await services.commit(beginning, orIfSpent: ending)
            if let ending, committed.state.isEnded { return .spent(ending) }
            return .begun
        } catch  where error.code == .conflict && error.details["state"] == .string(RunState.running.rawValue) {
            guard let reason = error.details["stop_reason"]?.string.flatMap(EndReason.init(rawValue:)) else {
                throw error
            }
            steps[index] = before
            return .toldToStop(reason)
        }
    }

    /// Commits the end, and answers who waits for it: `applied` once it is on disk. With a store that fails the answer
    /// does not wait for it to be mended: the step is gone.
    private mutating func commitEnd(_ change: RunChange) async throws(BelfryError) {
        if !stops.isEmpty {
            do throws(BelfryError) {
                try await services.store.commit(change)
                return answerStops(.applied)
            } catch {
                answerStops(
                    .unconfirmed, reason: "the step is gone; the run's end waits for the store: \(error.message)")
            }
        }
        try await services.commit(change)
    }

    private mutating func answerStops(_ result: CommandAnswer.Result, reason: String? = nil) {
        for stop in stops { stop.answer(result, reason: reason) }
        stops = []
    }

    // MARK: - A step

    private var preparation: StepPreparation {
        StepPreparation(run: run, event: event, rule: rule, group: group, steps: steps, services: services)
    }

    /// - Returns: nil when the hub shuts down.
    private mutating func performStep(_ index: Int) async throws(BelfryError) -> StepResult? {
        let work: StepWork
        do throws(BelfryError) {
            var missing: [String] = []
            work = try await preparation.work(for: index, missing: &missing)
            steps[index].missing = missing
        } catch {
            return StepResult(end: .failed(.error), error: error)
        }
        let performance = StepPerformance(record: steps[index], rule: run.rule, work: work, services: services)
        let outcome = await withDiscardingTaskGroup { timers in
            let outcome = await withDiscardingTaskGroup { group in
                let mailbox = mailbox
                group.addTask { mailbox.post(.stepEnded(await performance.perform())) }
                let outcome = await follow(
                    work.isCommand,
                    onCut: {
                        group.cancelAll()
                        timers.addTask {
                            guard (try? await ContinuousClock().sleep(for: Limits.stopConfirmTimeout)) != nil else {
                                return
                            }
                            mailbox.post(.stopUnconfirmed)
                        }
                    })
                return outcome
            }
            timers.cancelAll()
            return outcome
        }
        return try outcome.get()
    }

    /// Reads the mailbox until the step has ended.
    /// - Parameter isCommand: the hub's own stops wait for it; an operator's do not.
    private mutating func follow(
        _ isCommand: Bool, onCut cut: () -> Void
    ) async -> Result<StepResult?, BelfryError> {
        while let input = await mailbox.next() {
            switch input {
            case .stepEnded(let result):
                return .success(result)
            case .command(let command):
                switch machine.stop() {
                case .cut:
                    await commitStopping(command)
                    cut()
                    stops.append(command)
                case .reject(let reason):
                    command.answer(.rejected, reason: reason)
                case .perform, .end, .ignore:
                    break
                }
            case .stop(let reason):
                guard case .cut = machine.stop(reason, cutsStep: !isCommand) else { continue }
                await commitStopping(reason)
                cut()
            case .stopUnconfirmed:
                await confirmNothing("its step has not ended after \(Limits.stopConfirmTimeout)")
            }
        }
        return .success(nil)
    }

    private func commitStopping(_ command: RunCommand) async {
        await commitStopping(
            .operator,
            frames: [
                frame(
                    .command,
                    [
                        "command": .string(command.id.description), "kind": .string(command.kind.rawValue),
                        "by": .string(command.by.name),
                    ])
            ],
            audit: [
                AuditDraft(
                    by: command.by, action: "run.stop", subject: run.id.description,
                    detail: ["command": .string(command.id.description)]
                )
            ]
        )
    }

    private func commitStopping(_ reason: EndReason, frames: [DraftFrame] = [], audit: [AuditDraft] = []) async {
        var change = RunChange(run: run.id, from: [.running], to: .stopping, reason: reason, audit: audit)
        change.frames = frames + [frame(.runState, ["state": .string(RunState.stopping.rawValue)])]
        do throws(BelfryError) {
            try await services.store.commit(change)
        } catch {
            // A store that fails must not keep a runaway step alive; the end of the run is committed later.
            services.logger.error(
                "a stop goes ahead of its record", metadata: ["run.id": "\(run.id)", "error": "\(error)"])
        }
    }

    /// Tells the operators that the step could not be seen to end; the run goes on waiting for it.
    private mutating func confirmNothing(_ reason: String) async {
        let notice = Notice(
            .stopUnconfirmed, .warning, title: "A stop is not confirmed",
            text: "run \(run.id) was told to stop; \(reason)", event: run.event, run: run.id, rule: run.rule
        )
        services.logger.warning("a stop is not confirmed", metadata: ["run.id": "\(run.id)", "reason": "\(reason)"])
        answerStops(.unconfirmed, reason: reason)
        _ = try? await services.store.append([notice.frame(at: services.now)])
    }

    // MARK: - Transitions

    private mutating func begin(step index: Int, in change: inout RunChange) {
        steps[index].state = .running
        steps[index].attempt += 1
        steps[index].started = services.now
        steps[index].ended = nil
        steps[index].output = nil
        steps[index].error = nil
        change.steps.append(steps[index])
        change.frames.append(
            frame(
                .stepStarted,
                [
                    "step": .string(steps[index].name), "kind": .string(steps[index].kind),
                    "attempt": .int(steps[index].attempt),
                ])
        )
        change.audit.append(audit("step.started", ["step": .string(steps[index].name)]))
    }

    /// A step whose condition does not hold has ended before it began.
    private mutating func skip(step index: Int, in change: inout RunChange) {
        steps[index].state = .skipped
        steps[index].reason = .condition
        steps[index].ended = services.now
        change.steps.append(steps[index])
        var members: JSONObject = [
            "step": .string(steps[index].name), "reason": .string(SkipReason.condition.rawValue),
        ]
        change.audit.append(audit("step.skipped", members))
        members["state"] = .string(StepState.skipped.rawValue)
        change.frames.append(frame(.stepFinished, members))
    }

    private mutating func end(step index: Int, with result: StepResult, wasCut: Bool, in change: inout RunChange) {
        let state: StepState =
            wasCut || result.end == .stopped ? .stopped : result.end == .succeeded ? .succeeded : .failed
        steps[index].state = state
        steps[index].ended = services.now
        steps[index].output = result.output
        steps[index].error = state == .failed ? result.error.map(StoredError.init) : nil
        steps[index].inputTokens = result.usage.inputTokens
        steps[index].outputTokens = result.usage.outputTokens
        change.steps.append(steps[index])
        if let messageID = result.messageID {
            change.frames.append(
                DraftFrame(
                    time: services.now, topic: .run(run.id), run: run.id, rule: run.rule, type: .textMessageEnd,
                    data: RawJSON(["step": .string(steps[index].name), "messageId": .string(messageID)])
                )
            )
        }
        var members: JSONObject = [
            "step": .string(steps[index].name), "state": .string(state.rawValue), "attempt": .int(steps[index].attempt),
        ]
        if let error = steps[index].error { members["error"] = error.json }
        if let usage = steps[index].usage { members["usage"] = usage }
        change.frames.append(frame(.stepFinished, members))
        change.audit.append(audit("step.\(state.rawValue)", ["step": .string(steps[index].name)]))
    }

    private func end(_ state: RunState, _ reason: EndReason, in change: inout RunChange) {
        change.to = state
        change.reason = reason
        // What a stopped step said of being cut is no error of the run.
        if state == .stopped { change.error = nil }
        var members: JSONObject = ["state": .string(state.rawValue), "reason": .string(reason.rawValue)]
        if let error = change.error { members["error"] = error.json }
        // Of a budget that is used up one notice tells, and not each run that it ends.
        if state == .failed, reason != .budget {
            change.frames.append(run.failureNotice(change.error, at: services.now))
        }
        change.frames.append(frame(state == .failed ? .runError : .runFinished, members))
        change.audit.append(audit("run.\(state.rawValue)", ["reason": .string(reason.rawValue)]))
    }

    /// The end of the run in place of its next step; nil if its rule's tokens are not limited.
    private func endingIfSpent(_ change: RunChange) -> RunChange? {
        guard let tokens = change.limits.tokensPerDay else { return nil }
        var ending = change
        ending.error = StoredError(
            code: EndReason.budget.rawValue,
            message: "the rule has used up its tokens of the day (limits.tokens_per_day: \(tokens))"
        )
        end(.failed, .budget, in: &ending)
        return ending
    }

    private func logFailure(_ change: RunChange) {
        services.logger.warning(
            "a run failed",
            metadata: [
                "run.id": "\(run.id)", "rule.name": "\(run.rule)", "reason": "\(change.reason?.rawValue ?? "-")",
                "error": "\(change.error.map { "\($0.code): \($0.message)" } ?? "-")",
            ]
        )
    }

    private func frame(_ type: FrameType, _ members: JSONObject) -> DraftFrame {
        DraftFrame(
            time: services.now, topic: .runs, run: run.id, rule: run.rule, type: type, data: RawJSON(.object(members))
        )
    }

    private func audit(_ action: String, _ detail: JSONObject) -> AuditDraft {
        AuditDraft(by: .hub, action: action, subject: run.id.description, detail: detail)
    }
}

extension RuleDefinition {
    /// The agents that its steps name.
    var agents: [String] {
        steps.compactMap { step in
            if case .agent(let agentStep) = step.action { agentStep.agent } else { nil }
        }
    }
}
