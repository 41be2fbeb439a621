import BelfryCore

/// Reads `rule:` documents.
extension DocumentDecoder {
    private static let ruleKeys = [
        "rule", "about", "enabled", "mode", "when", "group", "resolve", "on_resolved", "limits", "notify", "run",
    ]

    private enum Mode: String, CaseIterable { case run, observe }

    /// Nil if anything is wrong; then the diagnostics say what.
    mutating func rule(_ node: DocumentNode) -> RuleDefinition? {
        let errorCount = diagnostics.count
        guard let fields = fields(node, path: "", known: Self.ruleKeys) else { return nil }
        let name = name(fields, "rule")
        if fields["when"] == nil { note("is missing: an event pattern, { source: [github] }", in: fields, "when") }
        let pattern = pattern(fields, "when")
        let steps = run(fields)
        let about = string(fields, "about")
        let isEnabled = bool(fields, "enabled") ?? true
        let mode = choice(fields, "mode", of: Mode.self)
        let limits = limits(fields)
        let group = group(fields)
        let resolve = resolve(fields, group: group)
        let onResolved = choice(fields, "on_resolved", of: OnResolved.self)
        let notify = bool(fields, "notify") ?? false
        guard diagnostics.count == errorCount, let name, let pattern, let steps else { return nil }
        var rule = RuleDefinition(name: name, pattern: pattern, steps: steps)
        rule.about = about
        rule.isEnabled = isEnabled
        rule.observesOnly = mode == .observe
        rule.limits = limits
        rule.group = group
        rule.resolve = resolve
        rule.onResolved = onResolved ?? rule.onResolved
        rule.onResolvedIsGiven = onResolved != nil
        rule.alertSources = alertSources(fields)
        rule.notify = notify
        return rule
    }

    /// The pattern under a key; nil if there is none, or if something is wrong with it, which is noted.
    mutating func pattern(_ fields: Fields, _ key: String) -> EventPattern? {
        guard let member = fields[key] else { return nil }
        do throws(PatternErrors) {
            return try EventPattern(parsing: member.value)
        } catch {
            let path = fields.path(of: key)
            for error in error.errors {
                note(error.message, at: error.line, error.path.isEmpty ? path : "\(path).\(error.path)")
            }
            return nil
        }
    }

    // MARK: Steps

    private mutating func run(_ fields: Fields) -> [StepDefinition]? {
        guard let member = fields["run"] else {
            note("is missing: run: { steps: […] }", in: fields, "run")
            return nil
        }
        guard let inner = self.fields(member.value, path: fields.path(of: "run"), known: ["steps"]) else { return nil }
        let path = inner.path(of: "steps")
        guard case .array(let nodes)? = inner["steps"]?.value.content, !nodes.isEmpty else {
            note("must be a list of at least one step", in: inner, "steps")
            return nil
        }
        guard nodes.count <= Limits.stepsPerRuleMax else {
            note("at most \(Limits.stepsPerRuleMax) steps", in: inner, "steps")
            return nil
        }
        var steps: [StepDefinition] = []
        var earlier: [String] = []
        for (index, node) in nodes.enumerated() {
            let stepPath = "\(path)[\(index)]"
            guard
                let fields = self.fields(
                    node, path: stepPath, known: ["step", "if", "agent", "prompt", "command", "timeout"])
            else { continue }
            let name = name(fields, "step")
            if let name, earlier.contains(name) { note("the name '\(name)' stands twice", in: fields, "step") }
            if var step = step(fields, name: name, earlier: earlier) {
                step.stage = index
                steps.append(step)
            }
            if let name { earlier.append(name) }
        }
        return steps.count == nodes.count ? steps : nil
    }

    private mutating func step(
        _ fields: Fields, name: String?, earlier: [String]
    ) -> StepDefinition? {
        guard (fields["agent"] == nil) != (fields["command"] == nil) else {
            note("a step has either agent and prompt or command", at: fields.line, fields.path)
            return nil
        }
        let action: StepDefinition.Action?
        if fields["agent"] != nil {
            let agent = self.name(fields, "agent")
            let prompt = template(fields, "prompt", isRequired: true)
            if let prompt { checkSteps([prompt], fields, "prompt", earlier: earlier) }
            if let agent {
                agentsUsed.append(
                    AgentReference(
                        agent: agent, file: file, line: fields.line(of: "agent"), path: fields.path(of: "agent"))
                )
            }
            action = if let agent, let prompt { .agent(AgentStep(agent: agent, prompt: prompt)) } else { nil }
        } else {
            if fields["prompt"] != nil {
                note("a command has no prompt; the event is on its input", in: fields, "prompt")
            }
            let templates = command(fields)
            if let templates { checkSteps(templates, fields, "command", earlier: earlier) }
            action = templates.map { .command($0) }
        }
        let timeout = duration(fields, "timeout", in: .milliseconds(100)...Limits.stepTimeoutMax)
        let errorCount = diagnostics.count
        let condition = condition(fields, earlier: earlier)
        guard let name, let action, diagnostics.count == errorCount else { return nil }
        var step = StepDefinition(name: name, action: action)
        step.condition = condition
        step.timeout = timeout ?? step.timeout
        return step
    }

    /// A template may ask for the output of steps that have ended by then.
    private mutating func checkSteps(_ templates: [Template], _ fields: Fields, _ key: String, earlier: [String]) {
        for name in templates.flatMap(\.stepsUsed) where !earlier.contains(name) {
            note(Self.noEarlierStep(name, earlier: earlier), in: fields, key)
        }
    }

    static func noEarlierStep(_ name: String, earlier: [String]) -> String {
        let hint =
            earlier.isEmpty ? "this is the first step" : "steps before this one: \(earlier.joined(separator: ", "))"
        return "'steps.\(name.prefix(80))' is no earlier step; \(hint)"
    }
}
