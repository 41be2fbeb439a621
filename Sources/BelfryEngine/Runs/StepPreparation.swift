import BelfryAgents
import BelfryCore
import BelfryCrypto
import BelfryRules
import BelfryStore

/// Makes a step ready: renders its templates, finds its agent and program, reads its key.
///
/// A run keeps the rule and agent versions it was matched with; secrets are read at the start of each step.
struct StepPreparation {
    let run: RunRecord
    let event: Event
    let rule: RuleDefinition
    /// What templates see as `group`.
    let group: JSONValue
    let steps: [StepRecord]
    let services: RunServices

    /// - Parameter missing: gets the template paths that had no value.
    func work(for index: Int, missing: inout [String]) async throws(BelfryError) -> StepWork {
        let step = rule.steps[index]
        switch step.action {
        case .agent(let agentStep):
            let agent = try await services.registry.agent(named: agentStep.agent, asOf: run.created)
            let prompt = render(agentStep.prompt, as: .prompt(fence: fence(step: index)), missing: &missing)
            return try agentWork(agent, prompt: prompt, step: step, missing: &missing)
        case .command(let templates):
            let arguments = try CommandArguments.render(templates, .object(context), missing: &missing)
            var request = CommandRequest(
                program: try program(named: arguments[0]),
                arguments: Array(arguments.dropFirst()),
                input: event.json.bytes,
                run: run.id,
                step: step.name,
                timeout: step.timeout,
                outputBytesMax: Limits.stepOutputBytesMax
            )
            request.hops = Hops.next(after: event.hops)
            return .command(request)
        case .approve, .send, .wait:
            throw BelfryError(
                .invalidDocument, "this version can't do \(step.kind.rawValue) steps yet; take the step out of the rule")
        }
    }

    /// Whether a template of the step, or its `if`, asks for the group: reading it and its sample costs more than most
    /// steps' preparation. If that can't be told, it does.
    func asksForGroup(step index: Int) async -> Bool {
        let step = rule.steps[index]
        if step.condition?.asksFor(root: Self.group) == true { return true }
        switch step.action {
        case .approve, .send, .wait: return false
        case .command(let templates): return templates.contains { $0.asksFor(root: Self.group) }
        case .agent(let agentStep):
            if agentStep.prompt.asksFor(root: Self.group) { return true }
            guard let agent = try? await services.registry.agent(named: agentStep.agent, asOf: run.created) else {
                return true
            }
            let texts: [String]
            switch agent.kind {
            case .echo(let settings): texts = settings.text.map { [$0] } ?? []
            case .command(let settings): texts = settings.arguments
            case .openai, .anthropic: texts = []
            case .dify, .http:
                guard let body = agent.body else { return false }
                return (try? BodyTemplate(body, roots: Template.agentRoots))?.asksFor(root: Self.group) ?? true
            }
            return texts.contains { (try? template($0, of: agent))?.asksFor(root: Self.group) ?? true }
        }
    }

    private static let group = "group"

    /// Whether the step is to be done: it has no `if`, or what templates see satisfies it.
    func isConditionMet(of index: Int) -> Bool {
        guard let condition = rule.steps[index].condition else { return true }
        var context = context
        context["data"] = context["event"]?["data"]
        return condition.matches(.object(context))
    }

    private func agentWork(
        _ agent: AgentDefinition, prompt: String, step: StepDefinition, missing: inout [String]
    ) throws(BelfryError) -> StepWork {
        var request = AgentRequest(run: run.id, step: step.name)
        request.attempt = steps.first { $0.name == step.name }?.attempt ?? 1
        request.prompt = prompt
        request.input = event.json
        request.timeout = step.timeout
        request.hops = Hops.next(after: event.hops)
        var secrets: [SecretReference: Secret] = [:]
        for reference in agent.secretReferences {
            secrets[reference] = try services.configuration.secrets.resolve(reference)
        }
        switch agent.kind {
        case .echo(let settings):
            if let text = settings.text {
                request.prompt = render(try template(text, of: agent), as: .plain, missing: &missing)
            }
        case .openai, .anthropic: break
        case .dify, .http: request.body = try body(of: agent, prompt: prompt, step: step, missing: &missing)
        case .command(let settings):
            var templates: [Template] = []
            for argument in settings.arguments { templates.append(try template(argument, of: agent)) }
            let arguments = try CommandArguments.render(templates, .object(context), missing: &missing)
            request.program = try program(named: arguments[0])
            request.arguments = Array(arguments.dropFirst())
        }
        let live = Agents.make(agent, secrets: secrets, http: services.http, commands: services.commands)
        return .agent(live, request)
    }

    private func body(
        of agent: AgentDefinition, prompt: String, step: StepDefinition, missing: inout [String]
    ) throws(BelfryError) -> JSONValue? {
        guard let body = agent.body else { return nil }
        let template: BodyTemplate
        do {
            template = try BodyTemplate(body, roots: Template.agentRoots)
        } catch {
            throw BelfryError(.invalidDocument, "agent \(agent.name): \(error)")
        }
        var context = context
        context["prompt"] = .string(prompt)
        context["step"] = .string(step.name)
        return try template.render(.object(context), missing: &missing)
    }

    private func program(named name: String) throws(BelfryError) -> String {
        guard let program = services.configuration.commands[name] else {
            throw BelfryError(
                .commandNotAllowed,
                "the command \(name) is not in the server's `commands:` table; add `commands: {\(name): /absolute/path}` to its configuration"
            )
        }
        return program
    }

    private func template(_ text: String, of agent: AgentDefinition) throws(BelfryError) -> Template {
        do {
            return try Template(parsing: text, roots: Template.stepRoots)
        } catch {
            throw BelfryError(.invalidDocument, "agent \(agent.name): \(error)")
        }
    }

    private func render(_ template: Template, as form: Template.Form, missing: inout [String]) -> String {
        let rendered = template.render(.object(context), as: form)
        missing.append(contentsOf: rendered.missing)
        return rendered.text
    }

    /// What templates see: `event`, `group`, `source`, `rule`, `run`, `steps.NAME.output`.
    private var context: JSONObject {
        let ended = steps.filter { $0.state.isEnded }.map { step in
            // What was skipped has said nothing: a template that asks for it notes that as missing.
            JSONObject.Member(
                key: step.name,
                value: step.state == .skipped
                    ? ["state": .string(step.state.rawValue)]
                    : ["output": .optional(step.output), "state": .string(step.state.rawValue)]
            )
        }
        return [
            "event": event.value,
            Self.group: group,
            "source": .string(event.source),
            "rule": ["name": .string(run.rule), "version": .int(run.ruleVersion)],
            "run": ["id": .string(run.id.description), "attempt": .int(run.attempt)],
            "steps": .object(JSONObject(ended)),
        ]
    }

    /// Drawn for each run and step from its secret-free but unguessable id, so that no payload can hold it beforehand.
    private func fence(step: Int) -> String {
        Hex.encode(Digest.sha256(Array("\(run.id)/\(step)".utf8)).prefix(8))
    }
}
