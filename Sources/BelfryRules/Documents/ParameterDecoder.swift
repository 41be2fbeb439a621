import BelfryCore

/// Reads `run.params`, and JSON Schemas wherever they stand.
extension DocumentDecoder {
    /// Nil if anything is wrong.
    mutating func params(_ fields: Fields) -> [ParameterDefinition]? {
        guard let member = fields["params"] else { return [] }
        let path = fields.path(of: "params")
        guard case .object(let members) = member.value.content else {
            expected("a mapping of names to schemas", found: member.value, path, line: member.line)
            return nil
        }
        guard members.count <= Limits.paramsPerRuleMax else {
            note("at most \(Limits.paramsPerRuleMax) params", at: member.line, path)
            return nil
        }
        let errorCount = diagnostics.count
        var params: [ParameterDefinition] = []
        for member in members {
            let path = "\(path).\(member.key)"
            if !Self.isPlainName(member.key) {
                note(
                    "'\(member.key.cut(toBytes: 80))' is not a name: 1 to \(Limits.nameBytesMax) of letters, digits, _ and -",
                    at: member.line, path)
            }
            if params.contains(where: { $0.name.hasSameBytes(as: member.key) }) {
                note("the key stands twice", at: member.line, path)
            }
            if let param = param(member, at: path) { params.append(param) }
        }
        return diagnostics.count == errorCount ? params : nil
    }

    private mutating func param(_ member: DocumentNode.Member, at path: String) -> ParameterDefinition? {
        guard let schema = schema(member.value, at: path, line: member.line) else { return nil }
        guard let value = member.value.json["default"] else {
            note("has no default: what it is until an operator adjusts it", at: member.line, path)
            return nil
        }
        noteFaults(of: value, against: schema, at: member.line, "\(path).default")
        return ParameterDefinition(name: member.key, schema: schema, defaultValue: value)
    }

    /// What `{{params.NAME}}` can ask for without brackets, and what models can call.
    static func isPlainName(_ name: String) -> Bool {
        (1...Limits.nameBytesMax).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }

    // MARK: Schemas

    /// `{ schema: … }` under a key; nil if it is not there, or if anything is wrong with it.
    mutating func schema(_ fields: Fields, _ key: String) -> JSONSchema? {
        guard let member = fields[key],
            let inner = self.fields(member.value, path: fields.path(of: key), known: ["schema"])
        else { return nil }
        guard let schema = inner["schema"] else {
            note("is missing: a JSON Schema, { type: object, properties: { … } }", in: inner, "schema")
            return nil
        }
        return self.schema(schema.value, at: inner.path(of: "schema"), line: schema.line)
    }

    private mutating func schema(_ node: DocumentNode, at path: String, line: Int) -> JSONSchema? {
        guard case .object = node.content else {
            expected("a JSON Schema (a mapping)", found: node, path, line: line)
            return nil
        }
        guard !noteTwins(in: node, at: path) else { return nil }
        do throws(SchemaErrors) {
            return try JSONSchema(node.json)
        } catch {
            for issue in error.issues {
                note(issue.reason, at: line, Self.join(path, issue.path))
            }
            return nil
        }
    }

    /// Keys that stand twice; only a document written as JSON can hold them.
    private mutating func noteTwins(in node: DocumentNode, at path: String) -> Bool {
        switch node.content {
        case .null, .bool, .number, .string: return false
        case .array(let elements):
            return elements.enumerated().reduce(false) { noteTwins(in: $1.element, at: "\(path)[\($1.offset)]") || $0 }
        case .object(let members):
            var keys: Set<[UInt8]> = []
            var found = false
            for member in members {
                let path = "\(path).\(member.key)"
                if !keys.insert(Array(member.key.utf8)).inserted {
                    note("the key stands twice", at: member.line, path)
                    found = true
                }
                if noteTwins(in: member.value, at: path) { found = true }
            }
            return found
        }
    }

    /// Says what is wrong with a value of the document that must satisfy a schema of it.
    mutating func noteFaults(of value: JSONValue, against schema: JSONSchema, at line: Int, _ path: String) {
        for fault in schema.faults(in: value) {
            note(fault.message, at: line, Self.join(path, fault.path))
        }
    }

    mutating func noteFaults(of value: JSONValue, against schema: JSONSchema, in fields: Fields, _ key: String) {
        noteFaults(of: value, against: schema, at: fields.line(of: key), fields.path(of: key))
    }

    private static func join(_ path: String, _ rest: String) -> String {
        rest.isEmpty ? path : rest.hasPrefix("[") ? path + rest : "\(path).\(rest)"
    }
}
