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
    /// The events that steps have waited for.
    let arrived: [Int: Event]
    /// The last question of the step that is made ready.
    var approval: ApprovalRecord?
    let services: RunServices

    /// - Parameter missing: gets the template paths that had no value.
    func work(for index: Int, missing: inout [String]) async throws(BelfryError) -> StepWork {
        let step = rule.steps[index]
        switch step.action {
        case .agent(let agentStep):
            let agent = try await services.registry.agent(named: agentStep.agent, asOf: run.created)
            let prompt = prompt(of: agentStep, step: index, missing: &missing)
            let (live, request) = try ask(agent, prompt: prompt, agentStep, of: step, missing: &missing)
            var task = AgentTask(agent: live, request: request, step: agentStep, toolbox: toolbox(agentStep, index))
            task.price = agent.price
            task.limits = rule.limits
            task.conversation = try steps[index].conversation.map { row throws(BelfryError) in try Conversation(row) }
            task.decision = approval
            return .agent(task)
        case .command(let templates):
            let arguments = try CommandArguments.render(templates, .object(context), missing: &missing)
            var request = CommandRequest(
                program: try services.configuration.program(named: arguments[0]),
                arguments: Array(arguments.dropFirst()),
                input: event.json.bytes,
                run: run.id,
                step: step.name,
                timeout: step.timeout,
                outputBytesMax: Limits.stepOutputBytesMax
            )
            request.hops = Hops.next(after: event.hops)
            return .command(request)
        case .send(let send): return .send(try message(send, step: index, missing: &missing))
        case .approve, .wait: throw BelfryError(.internal, "a \(step.kind.rawValue) step is no work")
        }
    }

    /// Whether a template of the step, or its `if`, asks for the group: reading it and its sample costs more than most
    /// steps' preparation. If that can't be told, it does.
    func asksForGroup(step index: Int) async -> Bool {
        let step = rule.steps[index]
        if step.asksFor(root: Self.group) { return true }
        switch step.action {
        case .approve, .command, .send, .wait: return false
        case .agent(let agentStep):
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
                return (try? TemplateValue(body, roots: Template.agentRoots))?.asksFor(root: Self.group) ?? true
            }
            return texts.contains { (try? agent.template($0))?.asksFor(root: Self.group) ?? true }
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

    private func toolbox(_ step: AgentStep, _ index: Int) -> Toolbox {
        Toolbox(
            run: run, step: rule.steps[index].name, event: event, grants: step.tools,
            context: step.tools.isEmpty ? [:] : context, services: services)
    }

    private func ask(
        _ agent: AgentDefinition, prompt: String, _ asked: AgentStep, of step: StepDefinition, missing: inout [String]
    ) throws(BelfryError) -> (any Agent, AgentRequest) {
        var request = AgentRequest(run: run.id, step: step.name)
        request.attempt = steps.first { $0.name == step.name }?.attempt ?? 1
        request.prompt = prompt
        request.responseSchema = asked.schema?.json
        request.input = event.json
        request.timeout = step.timeout
        request.hops = Hops.next(after: event.hops)
        let adjusted = adjusted(step.name)
        request.temperature = adjusted["temperature"]?.number?.double
        request.tokensMax = adjusted["max_tokens"]?.number?.int64.map { Int($0) }
        let live = try services.agent(agent, for: &request, context: context, missing: &missing)
        return (live, request)
    }

    /// What an operator has set of a step: `prompt`, and fields of its agent.
    private func adjusted(_ step: String) -> JSONObject {
        steps.first { $0.name == step }?.data?.value["adjusted"]?.object ?? [:]
    }

    /// An operator's own words stand as they are; the rule's are a template.
    private func prompt(of step: AgentStep, step index: Int, missing: inout [String]) -> String {
        if let prompt = adjusted(rule.steps[index].name)["prompt"]?.string { return prompt }
        return render(step.prompt, as: .prompt(fence: fence(step: index)), missing: &missing)
    }

    // MARK: - Messages

    private func message(
        _ send: SendStep, step index: Int, missing: inout [String]
    ) throws(BelfryError) -> SendWork {
        let body = try content(of: send, missing: &missing)
        let record = steps[index]
        var work = SendWork(
            target: send.target, body: body.encoded(), webhookID: SendWork.webhookID(run: run.id, step: record.name),
            type: type(of: send, missing: &missing), created: record.started ?? run.created, hops: event.hops,
            attempt: record.attempt, timeout: rule.steps[index].timeout)
        // Some targets answer with what they were sent, and every viewer reads a step's output.
        if send.body.asksFor(root: "links") {
            work.confidential = rule.steps.indices.map { links.code(of: $0, run.id) }
        }
        return work
    }

    private var links: DecisionLinks {
        DecisionLinks(key: services.decisionKey, base: services.configuration.publicURL)
    }

    private func content(of send: SendStep, missing: inout [String]) throws(BelfryError) -> JSONValue {
        var context = context
        if send.body.asksFor(root: "links") {
            let links = links
            context["links"] = .object(
                JSONObject(
                    rule.steps.indices.map { index in
                        JSONObject.Member(
                            key: rule.steps[index].name, value: .string(links.link(to: index, of: run.id)))
                    }))
        }
        return try send.body.render(
            .object(context), as: .values, missing: &missing, bytesMax: Limits.sendBodyBytesMax)
    }

    private func type(of send: SendStep, missing: inout [String]) -> String {
        let type = send.type.map { render($0, as: .plain, missing: &missing).plain(bytesMax: Limits.sendTypeBytesMax) }
        return type.flatMap { $0.isEmpty ? nil : $0 } ?? SendStep.typeDefault
    }

    // MARK: - Questions

    /// What the person is asked, the steps that the question stands before, and a digest of what these are to do.
    func question(_ index: Int) -> (message: String, guards: [String], digest: [UInt8]) {
        var missing: [String] = []
        var message = ""
        if case .approve(let question) = rule.steps[index].action {
            message = render(question.message, as: .plain, missing: &missing).plain(bytesMax: Limits.questionBytesMax)
        }
        let guarded = rule.steps.indices.drop { rule.steps[$0].stage <= rule.steps[index].stage }
            .prefix { rule.steps[$0].kind != .approve }
        let works = guarded.map { JSONValue.array([.string(rule.steps[$0].name), intent(of: $0)]) }
        return (message, guarded.map { rule.steps[$0].name }, Digest.sha256(JSONValue.array(works).encoded()))
    }

    /// What a step is to do, as far as it is known by now.
    func intent(of index: Int) -> JSONValue {
        var missing: [String] = []
        switch rule.steps[index].action {
        case .agent(let step):
            let prompt = prompt(of: step, step: index, missing: &missing)
            return [.string(step.agent), .string(prompt), .object(adjusted(rule.steps[index].name))]
        case .command(let templates):
            return .array(templates.map { .string(render($0, as: .argument, missing: &missing)) })
        case .send(let send):
            let content = try? content(of: send, missing: &missing)
            return [.string(send.target), .string(type(of: send, missing: &missing)), content ?? .null]
        case .approve, .wait: return .null
        }
    }

    /// What an event must have to be one that the run waits for; a failure with the places where the run has nothing.
    func awaitedValues(_ wait: EventWait) -> Result<[JSONValue], EventWait.MissingPlaces> {
        wait.ownValues(in: .object(context))
    }

    /// What takes the output's place where the step is skipped, or its event has not come.
    func defaultOutput(of index: Int) -> String? {
        guard let template = rule.steps[index].defaultOutput else { return nil }
        var missing: [String] = []
        let output = try? template.render(
            .object(context), as: .values, missing: &missing, bytesMax: Limits.stepOutputBytesMax)
        return output.map { outputText($0, of: index) }
    }

    /// How a value is kept that takes an output's place. Of a wait it may be any: a text that could be read as another value
    /// keeps its quotes.
    func outputText(_ value: JSONValue, of index: Int) -> String {
        let text = value.plainText
        guard rule.steps[index].kind == .wait, value.string != nil, Self.value(text) != nil else { return text }
        return value.text
    }

    private static func value(_ text: String) -> JSONValue? { try? JSONValue(parsing: Array(text.utf8)) }

    /// Why a value can't take the output's place; nil: it can. An answer that has a schema is replaced by what satisfies it.
    /// - Parameter output: nil: the step's `default`.
    func fault(ofSkipping index: Int, output: JSONValue?) -> String? {
        let step = rule.steps[index]
        guard case .agent(let agent) = step.action, let schema = agent.schema else { return nil }
        var missing: [String] = []
        let rendered = try? step.defaultOutput?.render(
            .object(context), as: .values, missing: &missing, bytesMax: Limits.stepOutputBytesMax)
        guard let value = output ?? rendered else { return nil }
        let faults = schema.faults(in: value, named: output == nil ? "default" : "output")
        guard !faults.isEmpty else { return nil }
        return "what takes the answer's place does not fit its schema: "
            + faults.map(\.description).joined(separator: "; ")
    }

    private func render(_ template: Template, as form: Template.Form, missing: inout [String]) -> String {
        let rendered = template.render(.object(context), as: form)
        missing.append(contentsOf: rendered.missing)
        return rendered.text
    }

    /// What templates see: `event`, `group`, `source`, `rule`, `run`, `steps.NAME.output`.
    private var context: JSONObject {
        let ended = steps.filter { $0.state.isEnded }.map { step in
            var members: JSONObject = ["state": .string(step.state.rawValue)]
            // What was skipped has said nothing: a template that asks for it notes that as missing.
            if step.state != .skipped || step.output != nil { members["output"] = output(of: step) }
            for key in ["decision", "by", "value"] { members[key] = step.data?.value[key] }
            members["event"] = arrived[step.index]?.value
            return JSONObject.Member(key: step.name, value: .object(members))
        }
        return [
            "event": event.value,
            Self.group: group,
            "source": .string(event.source),
            "rule": ["name": .string(run.rule), "version": .int(run.ruleVersion)],
            "run": ["id": .string(run.id.description), "attempt": .int(run.attempt)],
            "params": .object(params),
            "steps": .object(JSONObject(ended)),
        ]
    }

    /// Text, or the value of a step whose answer has a schema, or that had none to give.
    private func output(of step: StepRecord) -> JSONValue {
        guard let output = step.output else { return .null }
        switch rule.steps[step.index].action {
        case .agent(let agent) where agent.schema != nil: return Self.value(output) ?? .string(output)
        case .wait: return Self.value(output) ?? .string(output)
        case .agent, .approve, .command, .send: return .string(output)
        }
    }

    /// The rule's parameters, those that an operator has set in place of its own.
    private var params: JSONObject {
        let set = run.params?.value.object ?? [:]
        return JSONObject(rule.params.map { JSONObject.Member(key: $0.name, value: set[$0.name] ?? $0.defaultValue) })
    }

    /// Drawn for each run and step from its secret-free but unguessable id, so that no payload can hold it beforehand.
    private func fence(step: Int) -> String {
        Hex.encode(Digest.sha256(Array("\(run.id)/\(step)".utf8)).prefix(8))
    }
}
