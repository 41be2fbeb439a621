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
    func warnings(about documents: [Document]) -> [String] {
        let snapshot = registry.snapshot
        var sources = Set(snapshot.sources.keys)
        for document in documents where document.kind == .source { sources.insert(document.name) }
        return documents.flatMap { document -> [String] in
            switch document.content {
            case .rule(let rule):
                return unknownSources(document, known: sources) + unknownCommands(of: rule)
            case .agent(let agent):
                guard case .command(let settings) = agent.kind else { return [] }
                return unknownCommand(settings.arguments.first, of: "agent \(agent.name)")
            case .source(let source):
                let own = source.warnings.map { "source \(source.name): \($0)" }
                guard let served = snapshot.sources[source.name], case .failure(let error) = served.secrets else {
                    return own
                }
                return own + ["source \(source.name) is disabled: \(error.message)"]
            }
        }
    }

    /// Exact names in `when.source` of which there is no source.
    private func unknownSources(_ document: Document, known: Set<String>) -> [String] {
        let names = document.canonical.value["when"]?["source"]?.array?.compactMap(\.string) ?? []
        return names.filter { !known.contains($0) }
            .map { "rule \(document.name): when.source: there is no source \($0); nothing will match" }
    }

    private func unknownCommands(of rule: RuleDefinition) -> [String] {
        rule.steps.flatMap { step -> [String] in
            guard case .command(let templates) = step.action else { return [] }
            return unknownCommand(templates.first?.text, of: "rule \(rule.name), step \(step.name)")
        }
    }

    private func unknownCommand(_ name: String?, of place: String) -> [String] {
        guard let name, configuration.commands[name] == nil else { return [] }
        return ["\(place): the command \(name) is not in `commands:` of the server's configuration"]
    }
}
