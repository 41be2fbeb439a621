import BelfryCore
import BelfryRules
import BelfryStore
import Logging

/// Takes a run into memory, has it do what there is to do, and lets go of it.
struct RunLoader: Sendable {
    let services: RunServices

    /// Returns when the run has ended or only waits.
    /// - Parameters:
    ///   - known: what was read already: the run as it was claimed, its event.
    ///   - isRecovered: ``Recovery`` has looked after it at this start.
    func perform(
        _ id: RunID, _ mailbox: RunMailbox, known: ClaimedRun? = nil, isRecovered: Bool = false
    ) async {
        do throws(BelfryError) {
            var claim = try await claim(id, known)
            if known == nil, !isRecovered, try await wasAtWork(claim.run) {
                _ = try await Recovery(services: services).recover(claim.run)
                claim = try await self.claim(id, nil)
            }
            guard !claim.run.state.isEnded else { return await letGo(claim.run, mailbox) }
            var execution = try await execution(claim, isNew: known != nil, mailbox)
            let fault = await execution.perform()
            if execution.run.state.isEnded { return await letGo(execution.run, mailbox) }
            if let fault { letGo(id, mailbox, because: fault) }
        } catch {
            if error.code != .cancelled {
                services.logger.error("a run can't go on", metadata: ["run.id": "\(id)", "error": "\(error)"])
            }
            letGo(id, mailbox, because: error)
        }
    }

    /// Whether it left memory in the middle of its work: a change of it could not be committed. How far its steps have come
    /// nobody knows, as after a crash.
    private func wasAtWork(_ run: RunRecord) async throws(BelfryError) -> Bool {
        switch run.state {
        case .stopping: true
        case .running: try await services.store.steps(of: run.id).contains { $0.state == .running }
        case .queued, .waiting, .succeeded, .failed, .stopped, .expired: false
        }
    }

    private func claim(_ id: RunID, _ known: ClaimedRun?) async throws(BelfryError) -> ClaimedRun {
        if let known { return known }
        return try await services.patiently { () throws(BelfryError) in
            ClaimedRun(run: try await services.store.run(id), event: nil)
        }
    }

    /// - Parameter isNew: it was taken from the queue, and has asked nothing. An operator may have skipped or adjusted steps
    ///   of it already, and one that repeats another has that one's.
    /// - Throws: why the run can't go on; it was ended, unless the hub is stopping.
    private func execution(
        _ claim: ClaimedRun, isNew: Bool, _ mailbox: RunMailbox
    ) async throws(BelfryError) -> RunExecution {
        let run = claim.run
        do throws(BelfryError) {
            return try await services.patiently { () throws(BelfryError) in
                let rule = try await services.registry.rule(named: run.rule, version: run.ruleVersion)
                let event: Event
                if let known = claim.event {
                    event = known
                } else {
                    event = try await services.store.event(run.event).event
                }
                let steps = try await services.store.steps(of: run.id)
                let approvals = isNew ? [] : try await services.store.approvals(of: run.id)
                return RunExecution(
                    run: run, event: event, rule: rule, steps: steps, approvals: approvals,
                    arrived: try await arrived(steps), services: services, mailbox: mailbox)
            }
        } catch {
            // What a shutdown has interrupted is read at the next start.
            guard !Task.isCancelled else { throw .hubIsStopping }
            await fail(run, error)
            throw error
        }
    }

    /// The events that steps have waited for, of those that are still there.
    private func arrived(_ steps: [StepRecord]) async throws(BelfryError) -> [Int: Event] {
        var arrived: [Int: Event] = [:]
        for step in steps {
            guard let id = step.arrivedEvent else { continue }
            arrived[step.index] = try await services.event(id)
        }
        return arrived
    }

    /// A run whose rule or event can't be read any more ends; it must not stay `running`.
    private func fail(_ run: RunRecord, _ error: BelfryError) async {
        var change = RunChange.end(run, .failed, .error, error: StoredError(error), at: services.now)
        change.limits = services.registry.limits(ofRule: run.rule) ?? change.limits
        change.due = .some(nil)
        _ = try? await services.commit(change)
    }

    /// Answers what has come too late: the run has ended.
    private func letGo(_ run: RunRecord, _ mailbox: RunMailbox) async {
        for case .command(let command) in services.mailboxes.remove(run.id, mailbox) {
            let answer = try? await services.store.answer(late: command.sent, command.kind.approval, to: run)
            command.answer(answer ?? command.sent.answer(.rejected, reason: "already \(run.state.rawValue)"))
        }
    }

    /// Answers what has come for a run that can't take it now.
    func letGo(_ run: RunID, _ mailbox: RunMailbox, because fault: BelfryError) {
        for case .command(let command) in services.mailboxes.remove(run, mailbox) {
            command.answer(.rejected, reason: fault.message)
        }
    }
}
