import BelfryCore

/// Reads hooks out of nodes and collects what is wrong with them.
///
/// As webhook's parser has it, keys are compared without case, and numbers, true and false may stand where text is
/// wanted.
struct HookDecoder {
    let file: String
    private(set) var diagnostics: [Diagnostic] = []
    private var unknownKeys: [String] = []

    init(file: String) { self.file = file }

    mutating func hook(_ node: DocumentNode, path: String) -> Hook? {
        guard let fields = fields(node, path: path, known: Self.hookKeys) else { return nil }
        var hook = Hook(id: text(fields, "id"))
        if hook.id.isEmpty { note("a hook needs an id", at: node.line, path) }
        let path = hook.id.isEmpty ? path : hook.id
        hook.executeCommand = text(fields, "execute-command")
        if hook.executeCommand.isEmpty { note("a hook needs an execute-command", at: node.line, path) }
        hook.workingDirectory = text(fields, "command-working-directory")
        hook.arguments = parameters(fields, "pass-arguments-to-command")
        hook.environment = parameters(fields, "pass-environment-to-command")
        hook.files = parameters(fields, "pass-file-to-command")
        hook.parsedAsJSON = parameters(fields, "parse-parameters-as-json")
        if let member = fields["trigger-rule"] { hook.trigger = rule(member.value, path: "trigger-rule") }
        hook.hasSoftFailures = bool(fields, "trigger-signature-soft-failures")
        hook.contentType = text(fields, "incoming-payload-content-type")
        hook.methods = texts(fields, "http-methods")
        hook.responseMessage = text(fields, "response-message")
        hook.responseHeaders = headers(fields)
        hook.successCode = int(fields, "success-http-response-code")
        hook.mismatchCode = int(fields, "trigger-rule-mismatch-http-response-code")
        hook.answersWithOutput = bool(fields, "include-command-output-in-response")
        hook.answersWithOutputOnError = bool(fields, "include-command-output-in-response-on-error")
        hook.unknownKeys = unknownKeys
        return hook
    }

    private static let hookKeys = [
        "id", "execute-command", "command-working-directory", "pass-arguments-to-command",
        "pass-environment-to-command", "pass-file-to-command", "parse-parameters-as-json", "trigger-rule",
        "trigger-signature-soft-failures", "incoming-payload-content-type", "http-methods", "response-message",
        "response-headers", "success-http-response-code", "trigger-rule-mismatch-http-response-code",
        "include-command-output-in-response", "include-command-output-in-response-on-error",
    ]

    // MARK: Rules

    private mutating func rule(_ node: DocumentNode, path: String) -> HookRule? {
        if case .null = node.content { return nil }
        guard let fields = fields(node, path: path, known: ["and", "or", "not", "match"]) else { return nil }
        // webhook looks at them in this order and takes the first that is there.
        if let member = fields["and"] { return .and(rules(member, "\(path).and")) }
        if let member = fields["or"] { return .or(rules(member, "\(path).or")) }
        if let member = fields["not"] { return .not(rule(member.value, path: "\(path).not") ?? .nothing) }
        if let member = fields["match"] { return .match(match(member.value, path: "\(path).match")) }
        return .nothing
    }

    private mutating func rules(_ member: DocumentNode.Member, _ path: String) -> [HookRule] {
        guard case .array(let elements) = member.value.content else {
            note("must be a list of rules, not \(member.value.kindName)", at: member.line, path)
            return []
        }
        return elements.enumerated().map { index, element in rule(element, path: "\(path)[\(index)]") ?? .nothing }
    }

    private mutating func match(_ node: DocumentNode, path: String) -> HookMatch {
        let known = ["type", "value", "regex", "secret", "ip-range", "parameter"]
        guard let fields = fields(node, path: path, known: known) else { return HookMatch() }
        var match = HookMatch()
        match.type = text(fields, "type")
        match.value = text(fields, "value")
        match.regex = text(fields, "regex")
        match.secret = text(fields, "secret")
        match.addresses = text(fields, "ip-range")
        if let member = fields["parameter"] {
            match.parameter = parameter(member.value, path: "\(path).parameter")
        }
        return match
    }

    private mutating func parameters(_ fields: Fields, _ key: String) -> [HookParameter] {
        list(fields, key).enumerated().map { index, element in parameter(element, path: "\(key)[\(index)]") }
    }

    private mutating func parameter(_ node: DocumentNode, path: String) -> HookParameter {
        let known = ["source", "name", "envname", "base64decode", "headers-to-add-to-signature-payload"]
        guard let fields = fields(node, path: path, known: known) else { return HookParameter() }
        var parameter = HookParameter()
        parameter.source = text(fields, "source")
        parameter.name = text(fields, "name")
        parameter.variable = text(fields, "envname")
        parameter.isBase64 = bool(fields, "base64decode")
        parameter.signedHeaders = texts(fields, "headers-to-add-to-signature-payload")
        return parameter
    }

    private mutating func headers(_ fields: Fields) -> [(name: String, value: String)] {
        list(fields, "response-headers").enumerated().map { index, element in
            guard let inner = self.fields(element, path: "response-headers[\(index)]", known: ["name", "value"]) else {
                return ("", "")
            }
            return (text(inner, "name"), text(inner, "value"))
        }
    }

    // MARK: Values

    private struct Fields {
        var path: String
        var members: [String: DocumentNode.Member]
        subscript(_ key: String) -> DocumentNode.Member? { members[key] }
    }

    private mutating func note(_ message: String, at line: Int, _ path: String) {
        diagnostics.append(Diagnostic(file: file, line: line, path: path, message: message))
    }

    private mutating func fields(_ node: DocumentNode, path: String, known: [String]) -> Fields? {
        if case .null = node.content { return Fields(path: path, members: [:]) }
        guard case .object(let members) = node.content else {
            note("must be a mapping, not \(node.kindName)", at: node.line, path)
            return nil
        }
        var fields = Fields(path: path, members: [:])
        for member in members {
            let key = member.key.lowercased()
            if fields[key] != nil { note("the key '\(key.prefix(80))' stands twice", at: member.line, path) }
            if !known.contains(key) {
                unknownKeys.append(path.hasPrefix("[") ? member.key : "\(path).\(member.key)")
            }
            if case .null = member.value.content { continue }
            fields.members[key] = member
        }
        return fields
    }

    private mutating func text(_ fields: Fields, _ key: String) -> String {
        guard let member = fields[key] else { return "" }
        return text(member.value, path: "\(fields.path).\(key)", line: member.line)
    }

    private mutating func text(_ node: DocumentNode, path: String, line: Int) -> String {
        switch node.content {
        case .string(let text): return text
        case .bool(let value): return value ? "true" : "false"
        case .number(let number) where Self.isWholeNumber(number.text): return number.text
        case .number: note("put the number in quotes: webhook may write it in another way", at: line, path)
        default: note("must be text, not \(node.kindName)", at: line, path)
        }
        return ""
    }

    static func isWholeNumber(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        return (1...15).contains(digits.utf8.count) && digits.utf8.allSatisfy { $0 &- 0x30 < 10 }
            && (digits.utf8.first != 0x30 || text == "0")
    }

    private mutating func bool(_ fields: Fields, _ key: String) -> Bool {
        guard let member = fields[key] else { return false }
        if case .bool(let value) = member.value.content { return value }
        note("must be true or false, not \(member.value.kindName)", at: member.line, "\(fields.path).\(key)")
        return false
    }

    private mutating func int(_ fields: Fields, _ key: String) -> Int {
        guard let member = fields[key] else { return 0 }
        if case .number(let number) = member.value.content, let value = Int(number.text) { return value }
        note("must be a whole number, not \(member.value.kindName)", at: member.line, "\(fields.path).\(key)")
        return 0
    }

    private mutating func list(_ fields: Fields, _ key: String) -> [DocumentNode] {
        guard let member = fields[key] else { return [] }
        if case .array(let elements) = member.value.content { return elements }
        note("must be a list, not \(member.value.kindName)", at: member.line, "\(fields.path).\(key)")
        return []
    }

    private mutating func texts(_ fields: Fields, _ key: String) -> [String] {
        let path = "\(fields.path).\(key)"
        return list(fields, key).enumerated().map { index, element in
            text(element, path: "\(path)[\(index)]", line: element.line)
        }
    }
}
