import BelfryCore

/// Reads `agent:` documents.
extension DocumentDecoder {
    private enum AgentKind: String, CaseIterable {
        case echo, openai, command

        /// Keys of this kind alone.
        var keys: [String] {
            switch self {
            case .echo: ["text", "words_per_second"]
            case .openai: ["base_url", "model", "key", "system", "temperature", "max_tokens"]
            case .command: ["command", "timeout"]
            }
        }
    }

    private static let commonAgentKeys = [
        "agent", "about", "kind", "connect_timeout", "first_byte_timeout", "idle_timeout", "retries", "output_max",
    ]

    /// Nil if anything is wrong; then the diagnostics say what.
    mutating func agent(_ node: DocumentNode) -> AgentDefinition? {
        let errorCount = diagnostics.count
        let allKeys = Self.commonAgentKeys + AgentKind.allCases.flatMap(\.keys)
        guard let fields = fields(node, path: "", known: allKeys) else { return nil }
        let name = name(fields, "agent")
        if let name { agentsMade.append(name) }
        guard let kind = choice(fields, "kind", of: AgentKind.self, isRequired: true) else { return nil }
        for other in AgentKind.allCases where other != kind {
            for key in other.keys where fields[key] != nil {
                note("belongs to kind \(other.rawValue), not to \(kind.rawValue)", in: fields, key)
            }
        }
        let settings: AgentDefinition.Kind? =
            switch kind {
            case .echo: echo(fields)
            case .openai: openai(fields)
            case .command: commandAgent(fields)
            }
        let about = string(fields, "about")
        let timeouts = Duration.milliseconds(100)...Limits.stepTimeoutMax
        let connect = duration(fields, "connect_timeout", in: timeouts)
        let firstByte = duration(fields, "first_byte_timeout", in: timeouts)
        let idle = duration(fields, "idle_timeout", in: timeouts)
        let retries = int(fields, "retries", in: 0...10)
        let outputMax = byteCount(fields, "output_max", max: Limits.stepOutputBytesMax)
        guard diagnostics.count == errorCount, let name, let settings else { return nil }
        var agent = AgentDefinition(name: name, kind: settings)
        agent.about = about
        agent.connectTimeout = connect ?? agent.connectTimeout
        agent.firstByteTimeout = firstByte ?? agent.firstByteTimeout
        agent.idleTimeout = idle ?? agent.idleTimeout
        agent.retriesMax = retries ?? agent.retriesMax
        agent.outputBytesMax = outputMax ?? agent.outputBytesMax
        return agent
    }

    private mutating func echo(_ fields: Fields) -> AgentDefinition.Kind {
        var settings = AgentDefinition.EchoSettings()
        settings.text = template(fields, "text")?.text
        settings.wordsPerSecond = double(fields, "words_per_second", in: 0.1...10_000) ?? settings.wordsPerSecond
        return .echo(settings)
    }

    private mutating func openai(_ fields: Fields) -> AgentDefinition.Kind? {
        let base = string(fields, "base_url", isRequired: true)
        let model = string(fields, "model", isRequired: true)
        if let base { checkBase(base, fields) }
        var settings = AgentDefinition.OpenAISettings(baseURL: base ?? "", model: model ?? "")
        if let text = string(fields, "key") {
            settings.key = SecretReference(text)
            if settings.key == nil || settings.key == .generated {
                // The text may be the key itself: it is not repeated.
                note("must be env:NAME or file:PATH; keys never stand in documents", in: fields, "key")
            }
        }
        settings.system = string(fields, "system")
        settings.temperature = double(fields, "temperature", in: 0...2)
        settings.tokensMax = int(fields, "max_tokens", in: 1...10_000_000)
        return base == nil || model == nil ? nil : .openai(settings)
    }

    private mutating func checkBase(_ base: String, _ fields: Fields) {
        let rest = base.hasPrefix("https://") ? base.dropFirst(8) : base.hasPrefix("http://") ? base.dropFirst(7) : ""
        if rest.isEmpty || rest.hasPrefix("/") || rest.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            note("must be a URL: https://api.openai.com/v1", in: fields, "base_url")
        } else if rest.contains("{{") {
            note("must not be a template: events do not choose where data goes", in: fields, "base_url")
        } else if rest.split(separator: "/").first?.contains("@") == true {
            note("must not hold a user or password; use key", in: fields, "base_url")
        } else if rest.contains("/chat/completions") {
            note("ends before /chat/completions: https://api.openai.com/v1", in: fields, "base_url")
        }
    }

    private mutating func commandAgent(_ fields: Fields) -> AgentDefinition.Kind? {
        guard let templates = command(fields, isRequired: true) else { return nil }
        var settings = AgentDefinition.CommandSettings(arguments: templates.map(\.text))
        settings.timeout =
            duration(fields, "timeout", in: .milliseconds(100)...Limits.stepTimeoutMax) ?? settings.timeout
        return .command(settings)
    }

    // MARK: Shared with steps

    /// A text that is a template.
    mutating func template(_ fields: Fields, _ key: String, isRequired: Bool = false) -> Template? {
        guard let text = string(fields, key, isRequired: isRequired) else { return nil }
        return template(text, at: fields.line(of: key), fields.path(of: key))
    }

    private mutating func template(_ text: String, at line: Int, _ path: String) -> Template? {
        do throws(TemplateError) {
            return try Template(parsing: text)
        } catch {
            note("\(error)", at: line, path)
            return nil
        }
    }

    /// A list: the name of a command of the server's table, and templates for its arguments.
    mutating func command(_ fields: Fields, isRequired: Bool = false) -> [Template]? {
        let path = fields.path(of: "command")
        guard fields["command"] != nil else {
            if isRequired { note("is missing", in: fields, "command") }
            return nil
        }
        guard let texts = strings(fields, "command", max: Limits.commandArgumentsMax) else { return nil }
        guard let program = texts.first, Name.isValid(program) else {
            note(
                "begins with the name of a command from the server's `commands:` table; no path, no template",
                in: fields,
                "command")
            return nil
        }
        var templates: [Template] = []
        for (index, text) in texts.enumerated() {
            if text.utf8.contains(0) {
                note("an argument cannot hold a NUL byte", at: fields.line(of: "command"), "\(path)[\(index)]")
            }
            if let template = template(text, at: fields.line(of: "command"), "\(path)[\(index)]") {
                templates.append(template)
            }
        }
        return templates.count == texts.count ? templates : nil
    }
}
