import BelfryCore

/// Reads what is said of agents of kind `http`.
extension DocumentDecoder {
    mutating func http(_ fields: Fields) -> AgentDefinition.Kind? {
        let url = url(fields, "url", example: "https://agents.example/ask", isRequired: true)
        var settings = AgentDefinition.HTTPSettings(url: url ?? "")
        settings.key = key(fields)
        settings.headers = headers(fields)
        if settings.key != nil, settings.headers.contains(where: { $0.name.lowercased() == "authorization" }) {
            note("is the header Authorization: say one of them", in: fields, "key")
        }
        settings.body = body(fields, "body")
        settings.format = choice(fields, "format", of: AgentDefinition.HTTPSettings.Format.self)
        settings.delta = path(fields, "delta")
        settings.done = path(fields, "done")
        settings.error = path(fields, "error")
        if settings.format == .text {
            for key in ["delta", "done", "error"] where fields[key] != nil {
                note("leads nowhere: the format is text", in: fields, key)
            }
        }
        if settings.format == .json, fields["done"] != nil {
            note("one JSON has no end but its own", in: fields, "done")
        }
        return url == nil ? nil : .http(settings)
    }

    /// A value whose texts are templates; nil if it is not there.
    mutating func body(_ fields: Fields, _ key: String) -> JSONValue? {
        guard let member = fields[key] else { return nil }
        switch member.value.content {
        case .object, .array: break
        default: expected("a mapping or a list", found: member.value, fields.path(of: key), line: member.line)
        }
        checkTexts(of: member.value, fields.path(of: key))
        return member.value.json
    }

    private mutating func checkTexts(of node: DocumentNode, _ path: String) {
        switch node.content {
        case .string(let text): template(text, at: node.line, path, roots: Template.agentRoots)
        case .array(let elements):
            for (index, element) in elements.enumerated() { checkTexts(of: element, "\(path)[\(index)]") }
        case .object(let members):
            for member in members { checkTexts(of: member.value, "\(path).\(member.key)") }
        case .null, .bool, .number: break
        }
    }

    /// A path into the items of an answer.
    private mutating func path(_ fields: Fields, _ key: String) -> [EventPath.Part]? {
        guard let text = string(fields, key) else { return nil }
        do throws(PatternIssue) {
            let written = try TemplatePath(text[...])
            return [.key(written.root)]
                + written.parts.map { part in
                    switch part {
                    case .key(let key): .key(key)
                    case .index(let index): .index(index)
                    }
                }
        } catch {
            note("'\(text.prefix(80))' is no path: choices[0].delta.content", in: fields, key)
            return nil
        }
    }

    // MARK: Headers

    private mutating func headers(_ fields: Fields) -> [AgentDefinition.HTTPSettings.Header] {
        guard let member = fields["headers"] else { return [] }
        guard case .object(let list) = member.value.content else {
            expected("a mapping", found: member.value, "headers", line: member.line)
            return []
        }
        if list.count > Limits.documentListMax {
            note("at most \(Limits.documentListMax) headers", at: member.line, "headers")
        }
        var headers: [AgentDefinition.HTTPSettings.Header] = []
        for header in list {
            let path = "headers.\(header.key)"
            checkHeader(header.key, at: header.line, path)
            if headers.contains(where: { $0.name.lowercased() == header.key.lowercased() }) {
                note("stands twice", at: header.line, path)
            }
            guard case .string(let text) = header.value.content else {
                expected("text (put it in quotes)", found: header.value, path, line: header.line)
                continue
            }
            guard let value = headerValue(text, of: header.key, at: header.line, path) else { continue }
            headers.append(.init(name: header.key, value: value))
        }
        return headers
    }

    private mutating func headerValue(
        _ text: String, of name: String, at line: Int, _ path: String
    ) -> AgentDefinition.HTTPSettings.HeaderValue? {
        if let reference = SecretReference(text), reference != .generated { return .secret(reference) }
        if ["authorization", "proxy-authorization", "cookie", "x-api-key", "api-key"].contains(name.lowercased()) {
            // The text may be the key itself: it is not repeated.
            note("must be env:NAME or file:PATH; keys never stand in documents", at: line, path)
        } else if text.contains("{{") {
            note("must not be a template", at: line, path)
        } else if !text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            note("must be printable ASCII", at: line, path)
        }
        return .text(text)
    }

    /// A header's name (RFC 9110, 5.6.2) that is not the client's own to set.
    mutating func checkHeader(_ name: String, at line: Int, _ path: String) {
        let isToken =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
        if !isToken {
            note("is no header's name", at: line, path)
        } else if ["host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect"]
            .contains(name.lowercased())
        {
            note("is the client's own to set", at: line, path)
        }
    }
}
