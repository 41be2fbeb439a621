import BelfryCore
import BelfryRules
import BelfrySources
public import BelfryStore

/// What an apply did, and what it could do but looks like a mistake.
public struct AppliedDocuments: Sendable {
    public var plan: AppliedPlan
    /// For a person, a line each.
    public var warnings: [String]
}

extension Hub {
    /// What no diagnostic can refuse, because it may be meant: names that lead nowhere today.
    func warnings(about documents: [Document], isDryRun: Bool) -> [String] {
        let snapshot = registry.snapshot
        var sources = Set(snapshot.sources.keys).union([Event.ownSource])
        var agents = snapshot.agents
        for document in documents {
            switch document.content {
            case .source: sources.insert(document.name)
            case .agent(let agent): agents[agent.name] = agent
            case .rule: break
            }
        }
        return documents.flatMap { document -> [String] in
            switch document.content {
            case .rule(let rule):
                return unknownSources(document, known: sources) + document.warnings
                    + rule.steps.flatMap { warnings(about: $0, of: rule.name, agents: agents) }
            case .agent(let agent):
                if case .command(let settings) = agent.kind {
                    return missingProgram(settings.arguments.first, of: "agent \(agent.name)")
                }
                return agent.secretReferences.compactMap(problem).map { "agent \(agent.name) can't work: \($0)" }
            case .source(let source):
                let own = source.warnings.map { "source \(source.name): \($0)" }
                // As it stands in the document, so that a dry run says it too; then what only the store knows.
                var problem = source.secrets.lazy.filter { $0 != .generated }.compactMap { self.problem(of: $0) }.first
                if problem == nil, !isDryRun, case .failure(let error)? = snapshot.sources[source.name]?.secrets {
                    problem = error.message
                }
                let verb = isDryRun ? "would be" : "is"
                return own + (problem.map { ["source \(source.name) \(verb) disabled: \($0)"] } ?? [])
            }
        }
    }

    /// Why a secret can't be read: not in the server's `secrets:`, or not there. Never the secret.
    private func problem(of reference: SecretReference) -> String? {
        do throws(BelfryError) {
            _ = try configuration.secrets.resolve(reference)
            return nil
        } catch {
            return error.message
        }
    }

    /// Exact names in `when.source` of which there is no source.
    private func unknownSources(_ document: Document, known: Set<String>) -> [String] {
        let names = document.canonical.value["when"]?["source"]?.array?.compactMap(\.string) ?? []
        return names.filter { !known.contains($0) }
            .map {
                "rule \(document.name): when.source: there is no source \($0); only what is published to it would match"
            }
    }

    private func warnings(
        about step: StepDefinition, of rule: String, agents: [String: AgentDefinition]
    ) -> [String] {
        let place = "rule \(rule), step \(step.name)"
        switch step.action {
        case .command(let templates): return missingProgram(templates.first?.text, of: place)
        case .agent(let task):
            let programs = task.tools.flatMap { tool -> [String] in
                guard case .command(let templates) = tool.action else { return [] }
                return missingProgram(templates.first?.text, of: "\(place), tool \(tool.name)")
            }
            guard !task.tools.isEmpty, let agent = agents[task.agent], !agent.kind.takesTools else { return programs }
            return programs + [
                "\(place): the agent \(agent.name) can't be given tools, so the step will fail; take one of kind openai or anthropic"
            ]
        case .send(let send):
            guard send.body.asksFor(root: "links"), !configuration.isPublic else { return [] }
            return [
                "\(place): its links lead to \(configuration.publicURL), where others may not get; set public_url in the server's configuration"
            ]
        case .approve, .wait: return []
        }
    }

    private func missingProgram(_ name: String?, of place: String) -> [String] {
        guard let name else { return [] }
        guard configuration.commands[name] != nil else {
            return ["\(place): the command \(name) is not in `commands:` of the server's configuration"]
        }
        return configuration.fault(ofCommand: name).map { ["\(place): \($0)"] } ?? []
    }
}
