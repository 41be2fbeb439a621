import BelfryCore
import BelfryRules
import BelfryStore

extension Registry.Snapshot {
    /// A notice for each part that can't do its work: documents that can't be read, sources without their secret, rules
    /// whose agent is gone or has lost its key.
    /// - Parameter names: nil for everything; else these rules alone are looked at.
    func brokenParts(_ resolver: SecretResolver, ofRules names: Set<String>? = nil) -> [Notice] {
        if let names {
            return names.sorted().flatMap { name in
                let id = DocumentName(.rule, name)
                let problem = problems[id].map { notice(of: id, title: "\(id) can't be loaded", $0) }
                return [problem].compactMap(\.self)
                    + brokenRules([ruleSet.rule(named: name)].compactMap(\.self), resolver)
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
        return notices + brokenRules(ruleSet.currentRules, resolver)
    }

    private func brokenRules(_ rules: [Rule], _ resolver: SecretResolver) -> [Notice] {
        var asked: [String: String?] = [:]
        return rules.compactMap { rule in
            for agent in rule.definition.agents {
                let known = asked[agent] ?? problem(ofAgent: agent, resolver)
                asked.updateValue(known, forKey: agent)
                guard let known else { continue }
                let id = DocumentName(.rule, rule.definition.name)
                return notice(of: id, title: "\(id) can't run", "agent \(agent): \(known)")
            }
            return nil
        }
    }

    private func problem(ofAgent name: String, _ resolver: SecretResolver) -> String? {
        guard let agent = agents[name] else { return problems[DocumentName(.agent, name)] ?? "there is none" }
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
