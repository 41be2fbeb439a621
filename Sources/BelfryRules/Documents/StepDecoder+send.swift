import BelfryCore

/// Reads `send` steps, and values whose texts are templates.
extension DocumentDecoder {
    mutating func sendStep(_ fields: Fields, _ scope: StepScope) -> SendStep? {
        guard let member = fields["send"],
            let inner = self.fields(member.value, path: fields.path(of: "send"), known: ["to", "type", "body"])
        else { return nil }
        let target = target(inner)
        let type = template(inner, "type")
        if let type { check(type, scope, in: inner, "type") }
        if inner["body"] == nil { note("is missing: what is sent, { text: \"…\" }", in: inner, "body") }
        var bodyScope = scope
        bodyScope.mayLink = true
        let body = templateValue(inner, "body", bodyScope)
        guard let target, let body else { return nil }
        return SendStep(target: target, type: type, body: body)
    }

    /// Key `to`.
    mutating func target(_ fields: Fields) -> String? {
        guard let target = string(fields, "to", isRequired: true) else { return nil }
        guard Name.isValid(target) else {
            note(
                "must be a name of the server's `targets:` table; no address, no template: events do not choose where data goes",
                in: fields, "to")
            return nil
        }
        if let known = server.targets, !known.contains(target) {
            let names = known.sorted().prefix(10).joined(separator: ", ") + (known.count > 10 ? ", …" : "")
            let listed = names.isEmpty ? "which is empty" : "which has \(names)"
            let hint = NearestName.of(target, among: known.sorted()).map { "; did you mean '\($0)'?" } ?? ""
            note("there is no target '\(target)' in the server's `targets:`, \(listed)\(hint)", in: fields, "to")
        }
        return target
    }

    // MARK: Values with templates

    /// Nil if it is not there, or if anything is wrong with it.
    mutating func templateValue(_ fields: Fields, _ key: String, _ scope: StepScope) -> TemplateValue? {
        guard let member = fields[key] else { return nil }
        let errorCount = diagnostics.count
        let part = part(member.value, at: fields.path(of: key), scope)
        return diagnostics.count == errorCount ? TemplateValue(part) : nil
    }

    private mutating func part(_ node: DocumentNode, at path: String, _ scope: StepScope) -> TemplateValue.Part {
        switch node.content {
        case .null, .bool, .number: return .fixed(node.json)
        case .string(let text):
            guard let template = template(text, at: node.line, path, roots: scope.roots) else { return .fixed(.null) }
            check(template, scope, at: node.line, path)
            return .text(template)
        case .array(let elements):
            var parts: [TemplateValue.Part] = []
            for (index, element) in elements.enumerated() {
                parts.append(part(element, at: "\(path)[\(index)]", scope))
            }
            return .list(parts)
        case .object(let list):
            var members: [TemplateValue.Member] = []
            var keys: Set<[UInt8]> = []
            for member in list {
                let path = "\(path).\(member.key)"
                if !keys.insert(Array(member.key.utf8)).inserted { note("the key stands twice", at: member.line, path) }
                if member.key.contains("{{") { note("a key is no template", at: member.line, path) }
                members.append(
                    TemplateValue.Member(key: member.key, part: part(member.value, at: path, scope)))
            }
            return .object(members)
        }
    }
}
