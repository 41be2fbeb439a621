import BelfryCore

/// A step that was read. What could not be read of it is nil, and noted.
struct DecodedStep {
    var name: String?
    var step: StepDefinition?
}

/// Reads one step, whatever its kind.
extension DocumentDecoder {
    private typealias Kind = StepDefinition.Kind

    private static let stepKeys =
        ["step", "if"]
        + [
            "agent", "prompt", "output", "command", "approve", "value", "expires", "otherwise", "on_deny", "send",
            "wait",
        ] + ["tools", "turns", "tokens"] + ["timeout", "retry", "default"]

    /// Nil if it is no mapping.
    mutating func step(_ node: DocumentNode, at path: String, _ scope: StepScope) -> DecodedStep? {
        guard let fields = fields(node, path: path, known: Self.stepKeys) else { return nil }
        let errorCount = diagnostics.count
        let name = name(fields, "step")
        if let name, scope.isTaken(name) { note("the name '\(name)' stands twice", in: fields, "step") }
        let kinds = Kind.allCases.filter { fields[$0.rawValue] != nil }
        guard kinds.count == 1, let kind = kinds.first else {
            let all = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            note("a step has exactly one of \(all)", at: fields.line, fields.path)
            return DecodedStep(name: name)
        }
        noteKeys(of: fields, notOf: kind)
        let action = action(kind, fields, scope)
        let condition = condition(fields, scope)
        let timeout = duration(fields, "timeout", in: .milliseconds(100)...Limits.stepTimeoutMax)
        let retry = retry(fields)
        let defaultOutput = defaultOutput(fields, of: action, scope)
        guard diagnostics.count == errorCount, let name, let action else { return DecodedStep(name: name) }
        var step = StepDefinition(name: name, action: action)
        step.condition = condition
        step.timeout = timeout ?? step.timeout
        step.retry = retry
        step.defaultOutput = defaultOutput
        return DecodedStep(name: name, step: step)
    }

    private mutating func action(
        _ kind: StepDefinition.Kind, _ fields: Fields, _ scope: StepScope
    ) -> StepDefinition.Action? {
        switch kind {
        case .agent: agentStep(fields, scope).map { .agent($0) }
        case .command: commandStep(fields, scope).map { .command($0) }
        case .approve: approveStep(fields, scope).map { .approve($0) }
        case .send: sendStep(fields, scope).map { .send($0) }
        case .wait: waitStep(fields, scope).map { .wait($0) }
        }
    }

    // MARK: Agents and commands

    private mutating func agentStep(_ fields: Fields, _ scope: StepScope) -> AgentStep? {
        let agent = name(fields, "agent")
        let prompt = template(fields, "prompt", isRequired: true)
        if let prompt { check(prompt, scope, in: fields, "prompt") }
        let schema = schema(fields, "output")
        let tools = tools(fields, scope)
        let turns = int(fields, "turns", in: 1...Limits.agentTurnsMax)
        if turns != nil, fields["tools"] == nil {
            note("without tools the agent is asked once, and once more to mend its answer", in: fields, "turns")
        }
        let tokens = int(fields, "tokens", in: 1...Limits.ruleTokensPerDayMax)
        guard let agent else { return nil }
        agentsUsed.append(
            AgentReference(agent: agent, file: file, line: fields.line(of: "agent"), path: fields.path(of: "agent")))
        return prompt.map { prompt in
            var step = AgentStep(agent: agent, prompt: prompt, schema: schema)
            step.tools = tools
            step.turns = turns ?? step.turns
            step.tokensMax = tokens
            return step
        }
    }

    private mutating func commandStep(_ fields: Fields, _ scope: StepScope) -> [Template]? {
        let templates = command(fields)
        for template in templates ?? [] { check(template, scope, in: fields, "command") }
        return templates
    }

    // MARK: Keys of several kinds

    /// `retry: 3`, or `retry: { times: 3, pause: 5s }`.
    private mutating func retry(_ fields: Fields) -> RetryPolicy? {
        guard let member = fields["retry"] else { return nil }
        let times = 1...Limits.stepRetriesMax
        guard case .object = member.value.content else {
            return int(fields, "retry", in: times).map { RetryPolicy(times: $0) }
        }
        guard let inner = self.fields(member.value, path: fields.path(of: "retry"), known: ["times", "pause"]) else {
            return nil
        }
        if inner["times"] == nil { note("is missing: how often it is tried again", in: inner, "times") }
        let pause = duration(inner, "pause", in: .seconds(1)...Limits.stepRetryPauseCeiling)
        return int(inner, "times", in: times).map {
            RetryPolicy(times: $0, pause: pause ?? Limits.stepRetryPauseDefault)
        }
    }

    /// Text, but for a step whose output is a value.
    private mutating func defaultOutput(
        _ fields: Fields, of action: StepDefinition.Action?, _ scope: StepScope
    ) -> TemplateValue? {
        guard let member = fields["default"], let value = templateValue(fields, "default", scope) else { return nil }
        switch action {
        case .agent(let step):
            guard let schema = step.schema else { break }
            if let constant = value.constant { noteFaults(of: constant, against: schema, in: fields, "default") }
            return value
        case .wait, nil: return value
        case .approve, .command, .send: break
        }
        guard case .string = member.value.content else {
            expected(
                "text, as the step's output is", found: member.value, fields.path(of: "default"), line: member.line)
            return nil
        }
        return value
    }
}
