import BelfryCore

/// What later steps see of a step as `steps.NAME`.
struct StepResult {
    /// Results that stand for themselves: in a prompt they are set off by fences.
    static let whole: Set<String> = ["output", "value", "event"]

    /// What lies below a member.
    enum Shape {
        case text
        case schema(JSONSchema)
        case anything
    }

    let name: String
    private let kind: StepDefinition.Kind
    /// Nil: the step could not be read, and is not checked.
    private let members: [(key: String, shape: Shape)]?

    init(name: String, step: StepDefinition?) {
        self.name = name
        kind = step?.kind ?? .agent
        members = step.map { [("state", .text)] + $0.resultMembers }
    }

    /// What is wrong with a path below the step.
    func fault(of parts: ArraySlice<TemplatePath.Part>) -> String? {
        guard let members, let first = parts.first else { return nil }
        let path = "steps.\(name)"
        guard case .key(let key) = first, let member = members.first(where: { $0.key == key }) else {
            let known = members.map(\.key)
            guard case .key(let key) = first else { return "'\(path)' is no list" }
            if kind == .approve, key == "value" {
                return "'\(path)' has no value; say which in that step: value: { schema: … }"
            }
            let nearest = NearestName.of(key, among: known).map { "did you mean '\($0)'?" }
            let all = "of this \(kind.rawValue) step there are \(known.joined(separator: ", "))"
            return "'\(path)' has no '\(key.cut(toBytes: 80))'; \(nearest ?? all)"
        }
        let rest = parts.dropFirst()
        switch member.shape {
        case .anything: return nil
        case .schema(let schema): return SchemaPath.fault(of: rest, in: schema, named: "\(path).\(member.key)")
        case .text:
            guard !rest.isEmpty else { return nil }
            let mend =
                kind == .agent && member.key == "output"
                ? "its fields are known with output: { schema: … } in that step" : "nothing lies below it"
            return "'\(path).\(member.key)' is text; \(mend)"
        }
    }
}

extension StepDefinition {
    /// Beside `state`.
    fileprivate var resultMembers: [(key: String, shape: StepResult.Shape)] {
        switch action {
        case .agent(let step): [("output", step.schema.map { .schema($0) } ?? .text)]
        case .command, .send: [("output", .text)]
        case .approve(let step):
            [("decision", .text), ("by", .text)] + (step.schema.map { [("value", .schema($0))] } ?? [])
        case .wait:
            (eventWait != nil ? [("event", .anything)] : []) + (defaultOutput == nil ? [] : [("output", .anything)])
        }
    }
}
