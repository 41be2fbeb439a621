import BelfryCore

/// Reads the `tools` of agent steps.
extension DocumentDecoder {
    private static let toolKinds = ["command", "http", "emit"]

    /// The tools that could be read; what is wrong with the others is noted.
    mutating func tools(_ fields: Fields, _ scope: StepScope) -> [ToolGrant] {
        guard let member = fields["tools"] else { return [] }
        let path = fields.path(of: "tools")
        guard case .array(let elements) = member.value.content else {
            expected("a list of tools", found: member.value, path, line: member.line)
            return []
        }
        guard (1...Limits.toolsPerStepMax).contains(elements.count) else {
            note("from 1 to \(Limits.toolsPerStepMax) tools", in: fields, "tools")
            return []
        }
        var tools: [ToolGrant] = []
        for (index, element) in elements.enumerated() {
            guard let tool = tool(element, at: "\(path)[\(index)]", scope) else { continue }
            if tools.contains(where: { $0.name == tool.name }) {
                note("the tool '\(tool.name)' stands twice", at: element.line, "\(path)[\(index)].tool")
            }
            tools.append(tool)
        }
        return tools
    }

    private mutating func tool(_ node: DocumentNode, at path: String, _ scope: StepScope) -> ToolGrant? {
        let keys = ["tool", "about", "input", "approve", "expires"] + Self.toolKinds
        guard let fields = fields(node, path: path, known: keys) else { return nil }
        let name = toolName(fields)
        let about = string(fields, "about", isRequired: true)
        let input = input(fields)
        var scope = scope
        scope.input = input
        let kinds = Self.toolKinds.filter { fields[$0] != nil }
        guard kinds.count == 1, let kind = kinds.first else {
            note("a tool has exactly one of \(Self.toolKinds.joined(separator: ", "))", at: fields.line, fields.path)
            return nil
        }
        let asks = bool(fields, "approve")
        let expires = duration(fields, "expires", in: .seconds(1)...Limits.runTimeMax)
        let action: ToolGrant.Action? =
            switch kind {
            case "command": commandTool(fields, scope)
            case "http": httpTool(fields, scope)
            default: emitTool(fields, scope)
            }
        guard let name, let about, let input, let action else { return nil }
        var tool = ToolGrant(name: name, about: about, action: action, input: input, asks: asks)
        if expires != nil, !tool.asks { note("nobody is asked before this tool is called", in: fields, "expires") }
        tool.expires = expires ?? tool.expires
        return tool
    }

    private mutating func toolName(_ fields: Fields) -> String? {
        guard let name = string(fields, "tool", isRequired: true) else { return nil }
        guard Self.isPlainName(name) else {
            note(
                "'\(name.cut(toBytes: 80))' is not a name: 1 to \(Limits.nameBytesMax) of letters, digits, _ and -, which models can call",
                in: fields, "tool")
            return nil
        }
        return name
    }

    /// Without the key: the tool takes no arguments.
    private mutating func input(_ fields: Fields) -> JSONSchema? {
        guard fields["input"] != nil else {
            return try? JSONSchema(["type": "object", "properties": [:], "additionalProperties": false])
        }
        guard let schema = schema(fields, "input") else { return nil }
        guard schema.json["type"] == "object" else {
            note(
                "must say type: object at the top: a call has arguments by their names", at: fields.line(of: "input"),
                fields.path(of: "input.schema"))
            return nil
        }
        return schema
    }

    private mutating func commandTool(_ fields: Fields, _ scope: StepScope) -> ToolGrant.Action? {
        let templates = command(fields, roots: scope.roots)
        for template in templates ?? [] { check(template, scope, in: fields, "command") }
        return templates.map { .command($0) }
    }

    private mutating func httpTool(_ outer: Fields, _ scope: StepScope) -> ToolGrant.Action? {
        guard let member = outer["http"],
            let fields = fields(member.value, path: outer.path(of: "http"), known: ["to", "query", "body"])
        else { return nil }
        let target = target(fields)
        guard (fields["query"] == nil) != (fields["body"] == nil) else {
            note("has exactly one of query (a GET) and body (a POST)", at: fields.line, fields.path)
            return nil
        }
        let content: HTTPTool.Content? =
            fields["query"] != nil
            ? query(fields, scope).map { .query($0) } : templateValue(fields, "body", scope).map { .body($0) }
        guard let target, let content else { return nil }
        return .http(HTTPTool(target: target, content: content))
    }

    private mutating func query(_ outer: Fields, _ scope: StepScope) -> [HTTPTool.QueryItem]? {
        guard let member = outer["query"] else { return nil }
        let path = outer.path(of: "query")
        guard case .object(let members) = member.value.content else {
            expected("a mapping of parameters to texts", found: member.value, path, line: member.line)
            return nil
        }
        var items: [HTTPTool.QueryItem] = []
        for member in members {
            let path = "\(path).\(member.key)"
            guard case .string(let text) = member.value.content else {
                expected("text (put it in quotes)", found: member.value, path, line: member.line)
                continue
            }
            if items.contains(where: { $0.name == member.key }) { note("the key stands twice", at: member.line, path) }
            guard let value = template(text, at: member.line, path, roots: scope.roots) else { continue }
            check(value, scope, at: member.line, path)
            items.append(HTTPTool.QueryItem(name: member.key, value: value))
        }
        return items.count == members.count ? items : nil
    }

    private mutating func emitTool(_ outer: Fields, _ scope: StepScope) -> ToolGrant.Action? {
        guard let member = outer["emit"],
            let fields = fields(member.value, path: outer.path(of: "emit"), known: ["type", "subject", "data"])
        else { return nil }
        let type = string(fields, "type", isRequired: true)
        if let type, type.contains("{{") {
            note("is no template: a model does not choose which rules it sets off", in: fields, "type")
        }
        if let type, type.utf8.count > Limits.attributeBytesMax {
            note("has at most \(Limits.attributeBytesMax) bytes", in: fields, "type")
        }
        let subject = template(fields, "subject", roots: scope.roots)
        if let subject { check(subject, scope, in: fields, "subject") }
        let data = templateValue(fields, "data", scope)
        guard let type else { return nil }
        return .emit(EmitTool(type: type, subject: subject, data: data))
    }
}
