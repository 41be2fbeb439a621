public import BelfryCore
import BelfryStore

extension Hub {
    /// Stops all runs that have not ended, many side by side; of one rule, or of all. Runs that begin meanwhile go on.
    ///
    /// - Parameter id: the client's own; repeated, it gets the first answer again.
    /// - Returns: with `stopped`, `unconfirmed`, `ended` (before their stop came) and `more`: there were more than
    ///   ``Limits/runsStoppedMax``. `runs` names those that are not confirmed, with why.
    /// - Throws: `not_found` for a rule that there is not and that has no runs.
    public func stopRuns(
        ofRule rule: String? = nil, id: CommandID? = nil, by principal: Principal
    ) async throws(BelfryError) -> CommandAnswer {
        let command = SentCommand(
            id ?? CommandID(at: configuration.clock.now()), "stop_all", [.optional(rule)], to: nil, by: principal)
        if let first = try await store.firstAnswer(to: command) { return first }
        let (runs, more) = try await unendedRuns(ofRule: rule)
        if let rule, runs.isEmpty { try checkExists(DocumentName(.rule, rule)) }
        var tally = StopTally()
        await withTaskGroup(of: (RunID, Result<CommandAnswer, BelfryError>).self) { group in
            var rest = runs[...]
            for _ in 0..<Limits.stopsSideBySideMax {
                guard let run = rest.popFirst() else { break }
                group.addTask { await self.stop(run, by: principal) }
            }
            while let (run, result) = await group.next() {
                tally.add(result, of: run)
                guard let run = rest.popFirst() else { continue }
                group.addTask { await self.stop(run, by: principal) }
            }
        }
        let answer = tally.answer(to: command, more: more)
        var detail = answer.details
        detail["command"] = .string(command.id.description)
        detail["runs"] = nil
        try await store.record(
            command.record(answer),
            AuditDraft(by: principal, action: "runs.stop", subject: rule.map { "rule/\($0)" } ?? "runs", detail: detail)
        )
        return answer
    }

    /// Those that wait for a place come first, so that none of them takes the place of one that is stopped.
    private func unendedRuns(ofRule rule: String?) async throws(BelfryError) -> (runs: [RunID], more: Bool) {
        var runs: [RunID] = []
        for states: Set<RunState> in [[.queued], [.running, .waiting, .stopping]] {
            var cursor: String?
            repeat {
                let page = try await store.runs(
                    RunFilter(states: states, rule: rule), cursor: cursor, max: Limits.pageRowsMax)
                runs += page.items.map(\.id)
                cursor = page.next
                if runs.count >= Limits.runsStoppedMax { return (Array(runs.prefix(Limits.runsStoppedMax)), true) }
            } while cursor != nil
        }
        return (runs, false)
    }

    private func stop(_ run: RunID, by principal: Principal) async -> (RunID, Result<CommandAnswer, BelfryError>) {
        do throws(BelfryError) {
            return (run, .success(try await perform(.stop, on: run, by: principal)))
        } catch {
            return (run, .failure(error))
        }
    }
}

/// What became of many stops.
private struct StopTally {
    private var stopped = 0
    private var ended = 0
    private var unconfirmed: [(run: RunID, reason: String)] = []

    mutating func add(_ result: Result<CommandAnswer, BelfryError>, of run: RunID) {
        switch result {
        case .success(let answer) where answer.result == .applied: stopped += 1
        case .success(let answer) where answer.result == .rejected: ended += 1
        case .success(let answer): unconfirmed.append((run, answer.reason ?? ""))
        case .failure(let error): unconfirmed.append((run, error.message))
        }
    }

    func answer(to command: SentCommand, more: Bool) -> CommandAnswer {
        var answer = command.answer(
            unconfirmed.isEmpty ? .applied : .unconfirmed,
            reason: unconfirmed.isEmpty ? nil : "\(unconfirmed.count) of them may not be gone")
        answer.details = [
            "stopped": .int(stopped), "unconfirmed": .int(unconfirmed.count), "ended": .int(ended), "more": .bool(more),
        ]
        if !unconfirmed.isEmpty {
            answer.details["runs"] = .array(
                unconfirmed.prefix(Limits.unconfirmedStopsShownMax).map {
                    ["run": .string($0.run.description), "reason": .string($0.reason)]
                })
        }
        return answer
    }
}
