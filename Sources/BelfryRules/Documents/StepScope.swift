import BelfryCore

/// What a step may ask for besides its event: the results of the steps that have ended by then, and the rule's params.
struct StepScope {
    private var results: [StepResult] = []
    /// Names of the steps of the same parallel group.
    var group: [String] = []
    /// Names of the group that have been read.
    var taken: Set<String> = []
    /// Nil: they could not be read, and are not checked.
    private let params: [ParameterDefinition]?
    /// Names of all steps of the rule that may ask a person.
    var questions: Set<String> = []
    /// Whether what is read may hold links by which whoever has them decides: a message may, a prompt may not.
    var mayLink = false
    /// Of the arguments of a tool whose templates are read; nil: there are none.
    var input: JSONSchema?

    init(params: [ParameterDefinition]?) { self.params = params }

    func isTaken(_ name: String) -> Bool { taken.contains(name) || results.contains { $0.name == name } }

    /// The next stage may ask for these.
    mutating func end(_ stage: [DecodedStep]) {
        for step in stage {
            if let name = step.name { results.append(StepResult(name: name, step: step.step)) }
        }
    }

    /// What templates may begin a path with.
    var roots: Set<String> {
        if mayLink { return Template.messageRoots }
        return input == nil ? Template.stepRoots : ToolGrant.templateRoots
    }

    // MARK: Faults

    /// What is wrong with a path of a template; nil: nothing.
    func fault(of path: TemplatePath) -> String? {
        if path.root == ToolGrant.inputRoot {
            return input.flatMap { SchemaPath.fault(of: path.parts[...], in: $0, named: path.root) }
        }
        guard case .key(let name)? = path.parts.first else { return nil }
        let rest = path.parts.dropFirst()
        switch path.root {
        case "steps":
            guard let result = results.first(where: { $0.name == name }) else { return noEarlierStep(name) }
            return result.fault(of: rest)
        case "params": return fault(ofParam: name, rest)
        case "links" where !questions.contains(name):
            let known = questions.sorted().joined(separator: ", ")
            return "'links.\(name.cut(toBytes: 80))': no step of this name asks anything"
                + (known.isEmpty ? "" : "; there are: \(known)")
        default: return nil
        }
    }

    /// What is wrong with a field of a condition: keys joined with dots, of which names of steps hold some themselves.
    func fault(ofField field: String) -> String? {
        let keys = field.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        func parts(_ keys: some Sequence<String>) -> ArraySlice<TemplatePath.Part> { keys.map { .key($0) }[...] }
        guard keys.count > 1 else { return nil }
        switch keys[0] {
        case "steps":
            let rest = field.dropFirst("steps.".count)
            let result = results.filter { rest == $0.name || rest.hasPrefix("\($0.name).") }
                .max { $0.name.utf8.count < $1.name.utf8.count }
            guard let result else { return noEarlierStep(namedBy: rest) }
            let below = rest.dropFirst(result.name.count + 1)
            return result.fault(of: below.isEmpty ? [] : parts(below.split(separator: ".").map(String.init)))
        case "params": return fault(ofParam: keys[1], parts(keys.dropFirst(2)))
        default: return nil
        }
    }

    private func fault(ofParam name: String, _ rest: ArraySlice<TemplatePath.Part>) -> String? {
        guard let params else { return nil }
        guard let param = params.first(where: { $0.name == name }) else {
            let known = params.map(\.name)
            let nearest = NearestName.of(name, among: known).map { "did you mean '\($0)'?" }
            let all = known.isEmpty ? "run.params declares none" : "declared: \(known.joined(separator: ", "))"
            return "there is no param '\(name.cut(toBytes: 80))'; \(nearest ?? all)"
        }
        return SchemaPath.fault(of: rest, in: param.schema, named: "params.\(name)")
    }

    private func noEarlierStep(namedBy rest: Substring) -> String {
        let sibling = group.first { rest == $0 || rest.hasPrefix("\($0).") }
        return noEarlierStep(sibling ?? String(rest.prefix { $0 != "." }))
    }

    private func noEarlierStep(_ name: String) -> String {
        if group.contains(name) {
            return "'steps.\(name)' is a step of the same parallel group, which may not have ended; ask in a later step"
        }
        let earlier = results.map(\.name)
        let hint =
            earlier.isEmpty ? "this is the first step" : "steps before this one: \(earlier.joined(separator: ", "))"
        return "'steps.\(name.cut(toBytes: 80))' is no earlier step; \(hint)"
    }
}

/// Holds the templates of steps against their scope.
extension DocumentDecoder {
    mutating func check(_ template: Template, _ scope: StepScope, at line: Int, _ path: String) {
        for fault in template.paths.compactMap({ scope.fault(of: $0) }) { note(fault, at: line, path) }
    }

    mutating func check(_ template: Template, _ scope: StepScope, in fields: Fields, _ key: String) {
        check(template, scope, at: fields.line(of: key), fields.path(of: key))
    }
}
