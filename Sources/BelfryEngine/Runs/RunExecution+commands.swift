import BelfryCore
import BelfryRules
import BelfryStore
import Logging

/// What operators say. Each command is answered exactly once: when what it brings about is on disk.
extension RunExecution {
    mutating func take(_ command: RunCommand, in group: inout DiscardingTaskGroup) async throws(BelfryError) {
        if let first = try? await services.store.firstAnswer(to: command.sent) { return command.answer(first) }
        if commands.join(command) { return }
        do throws(BelfryError) {
            try await carryOut(command, in: &group)
        } catch {
            // The run is let go. Nobody may be left to wait for it.
            if command.kind != .stop, !commands.contains(command) { command.answer(.rejected, reason: error.message) }
            throw error
        }
    }

    private mutating func carryOut(
        _ command: RunCommand, in group: inout DiscardingTaskGroup
    ) async throws(BelfryError) {
        switch command.kind {
        case .stop: try await take(stop: command, in: &group)
        case .skip(let name, let output): try await skip(name, output, by: command, in: &group)
        case .adjust(let adjustment): try await adjust(adjustment, by: command, in: &group)
        case .approve(let name, _, let value):
            try await take(.approve, value: value, reason: nil, of: name, by: command, in: &group)
        case .deny(let name, _, let reason):
            try await take(.deny, value: nil, reason: reason, of: name, by: command, in: &group)
        }
    }

    func reject(_ command: RunCommand, _ reason: String) async {
        command.answer(await services.store.reject(command.sent, reason))
    }

    func index(of name: String) -> Int? { steps.firstIndex { $0.name == name } }

    func noStep(_ name: String) -> String {
        "there is no step '\(name.plain(bytesMax: 80))'; steps are: \(steps.map(\.name).joined(separator: ", "))"
    }

    // MARK: - Stop

    /// Takes a stop; it is answered when the run has ended.
    private mutating func take(
        stop command: RunCommand, in group: inout DiscardingTaskGroup
    ) async throws(BelfryError) {
        switch machine.stop(.operator, cuts: { _ in true }) {
        case .rejected(let reason):
            await reject(command, run.state == .stopping ? await services.store.closing(of: run) : reason)
        case .actions(let actions):
            commands.add(stop: command)
            var change = stopping(.operator, isAtWork: machine.isAtWork)
            change.frames.insert(commandFrame(command), at: 0)
            change.audit.append(commandAudit(command))
            guard machine.isAtWork else { return try await carryOut(actions, change, in: &group) }
            do throws(BelfryError) {
                try await commit(change, isPatient: false)
            } catch {
                // A store that fails must not keep a runaway step alive; the end of the run is committed later.
                services.logger.error(
                    "a stop goes ahead of its record", metadata: ["run.id": "\(run.id)", "error": "\(error)"])
            }
            for case .cut(let step) in actions { work.cut(step) }
        }
    }

    /// Tells the operators that the step could not be seen to end; the run goes on waiting for it.
    mutating func confirmNothing(_ reason: String) async {
        let notice = Notice(
            .stopUnconfirmed, .warning, title: "A stop is not confirmed",
            text: "run \(run.id) was told to stop; \(reason)", event: run.event, run: run.id, rule: run.rule
        )
        services.logger.warning("a stop is not confirmed", metadata: ["run.id": "\(run.id)", "reason": "\(reason)"])
        for record in commands.records(.unconfirmed, reason: reason) { try? await services.store.record(record) }
        commands.answer(.unconfirmed, reason: reason)
        _ = try? await services.store.append([notice.frame(at: services.now)])
    }

    // MARK: - Skip

    private mutating func skip(
        _ name: String, _ output: JSONValue?, by command: RunCommand, in group: inout DiscardingTaskGroup
    ) async throws(BelfryError) {
        guard let step = index(of: name) else { return await reject(command, noStep(name)) }
        guard output == nil || rule.steps[step].kind != .approve else {
            return await reject(command, "a skip never supplies a decision: approve or deny step \(name)")
        }
        guard !steps[step].state.isEnded else {
            return await reject(command, "step \(name) is already \(steps[step].state.rawValue)")
        }
        if let fault = preparation.fault(ofSkipping: step, output: output) { return await reject(command, fault) }
        let questions = output == nil ? [] : questions(about: step)
        if let approved = questions.first(where: { $0.decision == .approve }) {
            return await reject(
                command,
                "\(approved.decidedBy ?? "somebody") has approved (\(approved.name)) what is done with the output of step \(name); skip it without one"
            )
        }
        switch machine.skip(step) {
        case .rejected(let reason): await reject(command, reason)
        case .actions(let actions) where !actions.isEmpty:
            try await take(skip: command, of: step, actions, changing: questions)
        case .actions:
            var change = change()
            change.frames = [commandFrame(command)]
            change.audit = [commandAudit(command)]
            change.commands = [command.record(.applied)]
            change.yieldsToEvents = [step]
            let before = standing
            void(step, "the step was skipped", in: &change)
            skip(step, .operator, output: output, in: &change)
            askAnew(questions, in: &change)
            let isNo = rule.steps[step].kind == .approve && !goesOnWhenDenied(step)
            let actions = machine.ended(step, isNo ? .denied : .over)
            do throws(BelfryError) {
                try await carryOut(actions, change, in: &group)
                command.answer(.applied)
            } catch  where error.saysEventCame {
                standing = before
                await reject(command, error.message)
            }
        }
    }

    /// Takes a skip of a step at work; it is answered when that is gone.
    private mutating func take(
        skip command: RunCommand, of step: Int, _ actions: [RunStateMachine.Action],
        changing questions: [ApprovalRecord]
    ) async throws(BelfryError) {
        commands.add(skip: command, of: step)
        var change = change()
        change.frames = [commandFrame(command)]
        change.audit = [commandAudit(command)]
        // Now, so that nobody says yes to what is going to be something else.
        askAnew(questions, in: &change)
        setTimer(in: &change)
        try await commit(change)
        for case .cut(let step) in actions { work.cut(step) }
    }
}

extension RunCommand {
    /// What a skip gives the step as its output.
    var output: JSONValue? { if case .skip(_, let output) = kind { output } else { nil } }
}
