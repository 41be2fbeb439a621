import BelfryCore

/// Reads `run`: params and steps.
extension DocumentDecoder {
    /// Nil if anything is wrong; then the diagnostics say what.
    mutating func run(_ fields: Fields) -> (params: [ParameterDefinition], steps: [StepDefinition])? {
        guard let member = fields["run"] else {
            note("is missing: run: { steps: […] }", in: fields, "run")
            return nil
        }
        guard let inner = self.fields(member.value, path: fields.path(of: "run"), known: ["params", "steps"]) else {
            return nil
        }
        let params = params(inner)
        guard let steps = steps(inner, params: params), let params else { return nil }
        return (params, steps)
    }

    /// - Parameter params: nil: they could not be read.
    private mutating func steps(_ fields: Fields, params: [ParameterDefinition]?) -> [StepDefinition]? {
        let path = fields.path(of: "steps")
        guard case .array(let items)? = fields["steps"]?.value.content, !items.isEmpty else {
            note("must be a list of at least one step", in: fields, "steps")
            return nil
        }
        let count = items.reduce(0) { $0 + ($1.parallelSteps?.count ?? 1) }
        guard count <= Limits.stepsPerRuleMax else {
            note("at most \(Limits.stepsPerRuleMax) steps, those of parallel groups counted", in: fields, "steps")
            return nil
        }
        let errorCount = diagnostics.count
        var scope = StepScope(params: params)
        scope.questions = Set(items.flatMap { $0.parallelSteps ?? [$0] }.filter(\.asks).compactMap(\.stepName))
        var steps: [StepDefinition] = []
        for (index, item) in items.enumerated() {
            let stage = stage(item, at: "\(path)[\(index)]", scope)
            steps += stage.compactMap(\.step).map { step in
                var step = step
                step.stage = index
                return step
            }
            scope.end(stage)
        }
        return diagnostics.count == errorCount ? steps : nil
    }

    /// One item of `steps`: a step, or several that are done at the same time.
    private mutating func stage(_ item: DocumentNode, at path: String, _ scope: StepScope) -> [DecodedStep] {
        guard item.has("parallel") else { return [step(item, at: path, scope)].compactMap(\.self) }
        noteOther(keys: item, at: path)
        guard let nodes = item.parallelSteps else {
            note("must be a list of at least two steps", at: item.line, "\(path).parallel")
            return []
        }
        guard (2...Limits.parallelStepsMax).contains(nodes.count) else {
            note(
                nodes.count < 2
                    ? "a group has at least two steps; write a single one without parallel"
                    : "at most \(Limits.parallelStepsMax) steps at the same time", at: item.line, "\(path).parallel")
            return []
        }
        var decoded: [DecodedStep] = []
        var scope = scope
        scope.group = nodes.compactMap(\.stepName)
        for (index, node) in nodes.enumerated() {
            let stepPath = "\(path).parallel[\(index)]"
            guard !node.has("parallel") else {
                note("a parallel group stands in steps, not in another group", at: node.line, stepPath)
                continue
            }
            guard let step = step(node, at: stepPath, scope) else { continue }
            if let name = step.name { scope.taken.insert(name) }
            decoded.append(step)
        }
        return decoded
    }

    private mutating func noteOther(keys item: DocumentNode, at path: String) {
        guard case .object(let members) = item.content else { return }
        for member in members where member.key != "parallel" {
            note(
                "a parallel group has no keys of its own; they stand in its steps", at: member.line,
                "\(path).\(member.key)")
        }
        if members.count(where: { $0.key == "parallel" }) > 1 {
            note("the key stands twice", at: item.line, "\(path).parallel")
        }
    }
}

extension DocumentNode {
    func has(_ key: String) -> Bool { member(key) != nil }

    private func member(_ key: String) -> DocumentNode? {
        guard case .object(let members) = content else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// Of an item of `steps` that is a group.
    fileprivate var parallelSteps: [DocumentNode]? {
        guard case .array(let nodes)? = member("parallel")?.content else { return nil }
        return nodes
    }

    /// Of a step that may ask a person.
    fileprivate var asks: Bool { has("approve") || has("tools") }

    fileprivate var stepName: String? {
        guard case .string(let name)? = member("step")?.content else { return nil }
        return name
    }
}
