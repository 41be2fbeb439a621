import BelfryCore

/// What a source takes of a body, and what it answers: `accepts`, `redact`, `respond`, `challenge`.
extension DocumentDecoder {
    mutating func intake(_ fields: Fields, into source: inout SourceDefinition) {
        accepts(fields, into: &source)
        redact(fields, into: &source)
        if isPlain(source.preset, fields, "respond") { source.respond = respond(fields) }
        if isPlain(source.preset, fields, "challenge") { source.challenge = challenge(fields, source) }
    }

    private mutating func accepts(_ fields: Fields, into source: inout SourceDefinition) {
        guard let words = strings(fields, "accepts", acceptsOne: true, max: Limits.documentListMax) else { return }
        let known = BodyKind.allCases.map(\.rawValue)
        var kinds: [BodyKind] = []
        for word in words {
            guard let kind = BodyKind(rawValue: word) else {
                let hint = NearestName.of(word, among: known).map { "; did you mean '\($0)'?" } ?? ""
                note("'\(word.prefix(80))' is none of \(known.joined(separator: ", "))\(hint)", in: fields, "accepts")
                continue
            }
            if kinds.contains(kind) { note("'\(word)' stands twice", in: fields, "accepts") }
            kinds.append(kind)
        }
        if words.isEmpty {
            note("must not be empty; leave it out to take what the preset reads", in: fields, "accepts")
        }
        source.accepts = kinds
    }

    // MARK: redact

    private mutating func redact(_ fields: Fields, into source: inout SourceDefinition) {
        for text in strings(fields, "redact", acceptsOne: true, max: Limits.documentListMax) ?? [] {
            do throws(PatternIssue) {
                let path = try Self.eventPath(text)
                if source.redact.contains(path) { note("'\(text.prefix(80))' stands twice", in: fields, "redact") }
                source.redact.append(path)
            } catch {
                let hint = error.hint.map { "; \($0)" } ?? ""
                note("'\(text.prefix(80))': \(error.reason)\(hint)", in: fields, "redact")
            }
        }
    }

    /// `data.customer.email`, or the same with `event.` before it.
    private static func eventPath(_ text: String) throws(PatternIssue) -> EventPath {
        let written = try TemplatePath(text[...])
        var names = ArraySlice(written.parts)
        var first = written.root
        if first == "event" {
            guard case .key(let name)? = names.popFirst() else {
                throw PatternIssue(
                    "the whole event cannot be redacted", hint: "name a place in it: data.customer.email")
            }
            first = name
        }
        guard let root = EventPath.Root(rawValue: first) else {
            let roots = EventPath.Root.allCases.map(\.rawValue)
            let hint = NearestName.of(first, among: roots).map { "did you mean '\($0)'?" }
            throw PatternIssue(
                "a place to redact is in \(roots.joined(separator: ", "))",
                hint: hint ?? "what the hub itself says of an event, and its key, stay")
        }
        let parts = names.map { part -> EventPath.Part in
            switch part {
            // The names of headers are kept in lower case.
            case .key(let key): .key(root == .headers ? key.lowercased() : key)
            case .index(let index): .index(index)
            }
        }
        switch root {
        case .subject where !parts.isEmpty: throw PatternIssue("the subject is a text, nothing stands in it")
        case .headers where parts.count != 1, .ext where parts.isEmpty:
            throw PatternIssue("name one of them", hint: "\(root.rawValue).NAME")
        default: return EventPath(root, parts)
        }
    }

    // MARK: respond

    private mutating func respond(_ fields: Fields) -> FixedAnswer? {
        guard let member = fields["respond"],
            let inner = self.fields(
                member.value, path: fields.path(of: "respond"), known: ["status", "body", "content_type"])
        else { return nil }
        var answer = FixedAnswer()
        answer.status = int(inner, "status", in: 200...299) ?? answer.status
        answer.contentType = string(inner, "content_type") ?? answer.contentType
        if !Self.isMediaType(answer.contentType) { note("is no content type", in: inner, "content_type") }
        if let body = inner["body"] {
            // Unlike other texts it may be empty.
            if case .string(let text) = body.value.content {
                answer.body = text
            } else {
                expected("text (put it in quotes)", found: body.value, inner.path(of: "body"), line: body.line)
            }
        }
        if answer.body.utf8.count > Limits.answerBodyBytesMax {
            note("is longer than \(Limits.answerBodyBytesMax) bytes", in: inner, "body")
        }
        if answer.status == 204 || answer.status == 205, !answer.body.isEmpty {
            note("an answer with status \(answer.status) has no body (RFC 9110)", in: inner, "body")
        }
        return answer
    }

    /// `type/subtype` and parameters, in printable ASCII: it becomes a header of every answer.
    private static func isMediaType(_ text: String) -> Bool {
        let type = text.prefix { $0 != ";" }.split(separator: "/", omittingEmptySubsequences: false)
        return text.utf8.count <= 2 * Limits.nameBytesMax && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
            && type.count == 2
            && type.allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { $0 != 0x20 && !#""(),:;<=>?@[\]{}"#.utf8.contains($0) }
            }
    }

    // MARK: challenge

    private mutating func challenge(_ fields: Fields, _ source: SourceDefinition) -> ChallengeSettings? {
        guard let member = fields["challenge"],
            let inner = self.fields(member.value, path: fields.path(of: "challenge"), known: ["parameter", "token"]),
            let parameter = string(inner, "parameter", isRequired: true)
        else { return nil }
        let token = string(inner, "token")
        for (key, name) in [("parameter", parameter), ("token", token ?? "")]
        where name.utf8.count > Limits.nameBytesMax {
            note("is longer than \(Limits.nameBytesMax) bytes", in: inner, key)
        }
        if token != nil, source.secrets.isEmpty {
            note("is compared with the source's secrets, and it has none: add secret: generate", in: inner, "token")
        }
        if let token, token.hasSameBytes(as: parameter) { note("must be another parameter", in: inner, "token") }
        return ChallengeSettings(parameter: parameter, tokenParameter: token)
    }

    /// Whether a key may stand there: senders with conventions of their own have their own answers too.
    private mutating func isPlain(_ preset: Preset, _ fields: Fields, _ key: String) -> Bool {
        only(fields, key, preset, for: [.hmac, .token, .none])
        return [.hmac, .token, .none].contains(preset)
    }
}
