public import BelfryCore
import BelfryRules
import BelfryStore

extension Hub {
    /// Makes a new run of what an ended one was about: steps before the named one keep their outputs, questions are asked
    /// again.
    ///
    /// - Parameters:
    ///   - step: where to begin; nil: at the first step that has neither succeeded nor was skipped.
    ///   - latest: follow the rule as it is today, not as it was when the run was made.
    /// - Returns: `applied` with the new run, or `rejected` with why.
    /// - Throws: `not_found` for the run, or for a rule that is gone.
    public func retry(
        _ id: RunID, from step: String?, latest: Bool, command given: CommandID?, by principal: Principal
    ) async throws(BelfryError) -> CommandAnswer {
        let command = SentCommand(
            given ?? CommandID(at: configuration.clock.now()), "retry", [.optional(step), .bool(latest)], to: id,
            by: principal)
        if let first = try await store.firstAnswer(to: command) { return first }
        let run = try await store.run(id)
        guard run.state.isEnded else {
            return await store.reject(command, "the run is \(run.state.rawValue); stop it first")
        }
        let (rule, match) = try await rule(of: run, latest: latest)
        let steps = try await store.steps(of: id)
        guard let first = rule.firstStep(named: step, after: steps) else {
            let names = rule.steps.map(\.name).joined(separator: ", ")
            return await store.reject(
                command,
                step.map { "there is no step '\($0.plain(bytesMax: 80))'; steps are: \(names)" }
                    ?? "all of its steps are over; name the one to begin at: \(names)")
        }
        let retry = RunRetry(
            run: id, match: match, kept: rule.kept(of: steps, before: first), by: principal, command: command.id,
            digest: command.digest)
        do throws(BelfryError) {
            var answer = command.answer(.applied)
            answer.details["run"] = .string(try await store.retry(retry).description)
            answer.latency = .now - command.arrived
            return answer
        } catch  where error.code == .conflict {
            // The same command may have come twice at once.
            if let first = try await store.firstAnswer(to: command) { return first }
            return await store.reject(command, error.message)
        }
    }

    private func rule(
        of run: RunRecord, latest: Bool
    ) async throws(BelfryError) -> (rule: RuleDefinition, match: MatchRequest) {
        guard latest else {
            let definition = try await registry.rule(named: run.rule, version: run.ruleVersion)
            let limits = registry.limits(ofRule: run.rule) ?? definition.limits
            return (definition, MatchRequest(rule: run.rule, ruleVersion: run.ruleVersion, limits: limits))
        }
        guard let rule = registry.snapshot.ruleSet.rule(named: run.rule) else {
            throw BelfryError(
                .notFound,
                "there is no rule \(run.rule) any more, or it is switched off; without latest the run is retried with "
                    + "the rule as it was")
        }
        return (rule.definition, MatchRequest(rule))
    }
}

extension RuleDefinition {
    /// The place of the step to begin at; nil: there is none.
    fileprivate func firstStep(named name: String?, after rows: [StepRecord]) -> Int? {
        if let name { return steps.firstIndex { $0.name == name } }
        return steps.firstIndex { step in
            rows.first { $0.name == step.name }.map { $0.state != .succeeded && $0.state != .skipped } ?? true
        }
    }

    /// Rows of earlier stages that are over and hold no decision, each at its place in this rule.
    fileprivate func kept(of rows: [StepRecord], before first: Int) -> [StepRecord] {
        steps.indices.compactMap { index in
            guard steps[index].stage < steps[first].stage, steps[index].kind != .approve,
                var row = rows.first(where: { $0.name == steps[index].name }),
                row.state == .succeeded || row.state == .skipped
            else { return nil }
            row.index = index
            return row
        }
    }
}
