extension StepDefinition {
    /// Whether the step needs what lies below a root (``Template/stepRoots``): its `if`, its templates, or the values that
    /// it waits for. Templates of its agent's own document are not looked at.
    public func asksFor(root: String) -> Bool {
        condition?.asksFor(root: root) == true || templates.contains { $0.asksFor(root: root) }
            || eventWait?.by.contains { $0.own.root == root } == true
    }

    /// Whether its `if`, a template of it or a value that it waits for asks for what a step came to. Templates of its agent's
    /// own document are not looked at.
    public func asksFor(resultOf name: String) -> Bool {
        let paths = templates.flatMap(\.paths) + (eventWait?.by.map(\.own) ?? [])
        return condition?.asksFor(below: "steps.\(name)") == true
            || paths.contains { $0.root == "steps" && $0.parts.starts(with: [.key(name)]) }
    }

    private var templates: [Template] {
        let own: [Template] =
            switch action {
            case .agent(let step): [step.prompt] + step.tools.flatMap(\.action.templates)
            case .command(let templates): templates
            case .approve(let step): [step.message]
            case .send(let step): step.body.templates + (step.type.map { [$0] } ?? [])
            case .wait: []
            }
        return own + (defaultOutput?.templates ?? [])
    }
}
