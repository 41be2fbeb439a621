import BelfryCore
import BelfryRules
import BelfryStore

extension Registry.Snapshot {
    /// A notice for each part that can't do its work: documents that can't be read, sources without their secret, rules
    /// whose agent is gone or has lost its key, and rules that send to a target which the configuration has lost.
    /// - Parameters:
    ///   - targets: those of the configuration.
    ///   - names: nil for everything; else these rules alone are looked at.
    func brokenParts(
        _ resolver: SecretResolver, targets: Set<String>, ofRules names: Set<String>? = nil
    ) -> [Notice] {
        if let names {
            return names.sorted().flatMap { name in
                let id = DocumentName(.rule, name)
                let problem = problems[id].map { notice(of: id, title: "\(id) can't be loaded", $0) }
                return [problem].compactMap(\.self)
                    + brokenRules([ruleSet.rule(named: name)].compactMap(\.self), resolver, targets)
            }
        }
        var notices = problems.sorted { $0.key.description < $1.key.description }.map { id, problem in
            notice(of: id, title: "\(id) can't be loaded", problem)
        }
        for (name, source) in sources.sorted(by: { $0.key < $1.key }) {
            guard case .failure(let error) = source.secrets, !source.definition.isRetired else { continue }
            notices.append(
                notice(of: DocumentName(.source, name), title: "source \(name) is disabled", error.message))
        }
        return notices + brokenRules(ruleSet.currentRules, resolver, targets)
    }

    /// The first thing that is wrong with each rule.
    private func brokenRules(_ rules: [Rule], _ resolver: SecretResolver, _ targets: Set<String>) -> [Notice] {
        var asked: [String: String?] = [:]
        func problem(of step: StepDefinition) -> (title: String, text: String)? {
            if case .agent(let agentStep) = step.action {
                let agent = agentStep.agent
                let known = asked[agent] ?? self.problem(ofAgent: agent, resolver)
                asked.updateValue(known, forKey: agent)
                if let known { return ("can't run", "agent \(agent): \(known)") }
            }
            guard let target = step.targets.first(where: { !targets.contains($0) }) else { return nil }
            let text = "the server's configuration has no target \(target), so what is sent there fails; "
            return ("can't send", text + "add it under targets: and start the hub again, or change the rule")
        }
        return rules.compactMap { rule in
            let id = DocumentName(.rule, rule.definition.name)
            for step in rule.definition.steps {
                guard let (title, text) = problem(of: step) else { continue }
                return notice(of: id, title: "\(id) \(title)", "step \(step.name): \(text)")
            }
            return nil
        }
    }

    private func problem(ofAgent name: String, _ resolver: SecretResolver) -> String? {
        guard let agent = agents[name] else {
            return problems[DocumentName(.agent, name)]
                ?? "there is none; apply a document `agent: \(name)`, or change the rule"
        }
        do throws(BelfryError) {
            for reference in agent.secretReferences { _ = try resolver.resolve(reference) }
            return nil
        } catch {
            return error.message
        }
    }

    private func notice(of id: DocumentName, title: String, _ problem: String) -> Notice {
        Notice(
            .ruleBroken, .error, title: title, text: problem, rule: id.kind == .rule ? id.name : nil,
            source: id.kind == .source ? id.name : nil
        )
    }
}
