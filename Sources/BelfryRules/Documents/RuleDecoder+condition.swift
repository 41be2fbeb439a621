import BelfryCore

/// Reads `if:` of steps: a pattern, with what templates may ask for as its fields.
extension DocumentDecoder {
    mutating func condition(_ fields: Fields, _ scope: StepScope) -> EventPattern? {
        guard let member = fields["if"] else { return nil }
        let condition = pattern(fields, "if")
        checkRoots(member.value, field: "", at: fields.path(of: "if"), scope)
        return condition
    }

    /// A field that no context has would make the step skipped for ever, without a word.
    /// - Parameter field: the keys that lead here, joined with dots.
    private mutating func checkRoots(_ node: DocumentNode, field: String, at path: String, _ scope: StepScope) {
        guard case .object(let members) = node.content else { return }
        for member in members {
            let memberPath = "\(path).\(member.key)"
            if member.key == "$or", case .array(let alternatives) = member.value.content {
                for (index, alternative) in alternatives.enumerated() {
                    checkRoots(alternative, field: field, at: "\(memberPath)[\(index)]", scope)
                }
                continue
            }
            if field.isEmpty, noteUnknownRoot(of: member.key, at: member.line, memberPath) { continue }
            let field = field.isEmpty ? member.key : "\(field).\(member.key)"
            if case .object = member.value.content {
                checkRoots(member.value, field: field, at: memberPath, scope)
            } else {
                if let fault = scope.fault(ofField: field) { note(fault, at: member.line, memberPath) }
            }
        }
    }

    /// - Returns: whether there was something to note.
    private mutating func noteUnknownRoot(of field: String, at line: Int, _ path: String) -> Bool {
        let root = String(field.prefix { $0 != "." })
        guard !Template.stepRoots.contains(root) else { return false }
        note(Template.unknownRoot(root, roots: Template.stepRoots).message, at: line, path)
        return true
    }
}
