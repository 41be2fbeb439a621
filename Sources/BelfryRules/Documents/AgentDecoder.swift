import BelfryCore

/// Reads `agent:` documents.
extension DocumentDecoder {
    private enum AgentKind: String, CaseIterable {
        case echo, openai, anthropic, dify, http, command

        /// Keys that not every kind has.
        var keys: [String] {
            switch self {
            case .echo: ["text", "words_per_second"]
            case .openai:
                ["base_url", "model", "key", "key_header", "system", "temperature", "max_tokens", "adjustable"]
            case .anthropic: ["base_url", "model", "key", "system", "temperature", "max_tokens", "adjustable"]
            case .dify: ["base_url", "app", "key", "inputs"]
            case .http: ["url", "key", "headers", "body", "format", "delta", "done", "error"]
            case .command: ["command", "timeout"]
            }
        }
    }

    private static let commonAgentKeys = [
        "agent", "about", "kind", "connect_timeout", "first_byte_timeout", "idle_timeout", "retries", "output_max",
        "price",
    ]

    /// Nil if anything is wrong; then the diagnostics say what.
    mutating func agent(_ node: DocumentNode) -> AgentDefinition? {
        let errorCount = diagnostics.count
        var kindKeys: [String] = []
        for key in AgentKind.allCases.flatMap(\.keys) where !kindKeys.contains(key) { kindKeys.append(key) }
        guard let fields = fields(node, path: "", known: Self.commonAgentKeys + kindKeys) else { return nil }
        let name = name(fields, "agent")
        if let name { agentsMade.append(name) }
        guard let kind = choice(fields, "kind", of: AgentKind.self, isRequired: true) else { return nil }
        for key in kindKeys where fields[key] != nil && !kind.keys.contains(key) {
            let owners = AgentKind.allCases.filter { $0.keys.contains(key) }.map(\.rawValue)
            note("belongs to kind \(owners.joined(separator: ", ")), not to \(kind.rawValue)", in: fields, key)
        }
        let settings: AgentDefinition.Kind? =
            switch kind {
            case .echo: echo(fields)
            case .openai: openai(fields)
            case .anthropic: anthropic(fields)
            case .dify: dify(fields)
            case .http: http(fields)
            case .command: commandAgent(fields)
            }
        let about = string(fields, "about")
        let timeouts = Duration.milliseconds(100)...Limits.stepTimeoutMax
        let connect = duration(fields, "connect_timeout", in: timeouts)
        let firstByte = duration(fields, "first_byte_timeout", in: timeouts)
        let idle = duration(fields, "idle_timeout", in: timeouts)
        let retries = int(fields, "retries", in: 0...10)
        let outputMax = byteCount(fields, "output_max", max: Limits.stepOutputBytesMax)
        let price = price(fields)
        let adjustable = adjustable(fields)
        guard diagnostics.count == errorCount, let name, let settings else { return nil }
        var agent = AgentDefinition(name: name, kind: settings)
        agent.about = about
        agent.price = price
        agent.connectTimeout = connect ?? agent.connectTimeout
        agent.firstByteTimeout = firstByte ?? agent.firstByteTimeout
        agent.idleTimeout = idle ?? agent.idleTimeout
        agent.retriesMax = retries ?? agent.retriesMax
        agent.outputBytesMax = outputMax ?? agent.outputBytesMax
        agent.adjustable = adjustable ?? agent.adjustable
        return agent
    }

    /// For a million tokens each.
    private mutating func price(_ fields: Fields) -> TokenPrice? {
        guard let member = fields["price"],
            let inner = self.fields(member.value, path: fields.path(of: "price"), known: ["input", "output"])
        else { return nil }
        for key in ["input", "output"] where inner[key] == nil {
            note("is missing: what a million tokens of \(key) cost", in: inner, key)
        }
        let prices = 0.0...Limits.tokenPriceMax
        guard let input = double(inner, "input", in: prices), let output = double(inner, "output", in: prices) else {
            return nil
        }
        return TokenPrice(input: input, output: output)
    }

    /// An empty list leaves operators nothing.
    private mutating func adjustable(_ fields: Fields) -> [AdjustableField]? {
        let known = AdjustableField.allCases.map(\.rawValue)
        return strings(fields, "adjustable", max: known.count)?.compactMap { word in
            if let field = AdjustableField(rawValue: word) { return field }
            note("'\(word.prefix(80))' is none of \(known.joined(separator: ", "))", in: fields, "adjustable")
            return nil
        }
    }

    private mutating func echo(_ fields: Fields) -> AgentDefinition.Kind {
        var settings = AgentDefinition.EchoSettings()
        settings.text = template(fields, "text")?.text
        settings.wordsPerSecond = double(fields, "words_per_second", in: 0.1...10_000) ?? settings.wordsPerSecond
        return .echo(settings)
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
    mutating func template(
        _ fields: Fields, _ key: String, isRequired: Bool = false, roots: Set<String> = Template.stepRoots
    ) -> Template? {
        guard let text = string(fields, key, isRequired: isRequired) else { return nil }
        return template(text, at: fields.line(of: key), fields.path(of: key), roots: roots)
    }

    @discardableResult
    mutating func template(
        _ text: String, at line: Int, _ path: String, roots: Set<String> = Template.stepRoots
    ) -> Template? {
        do throws(TemplateError) {
            return try Template(parsing: text, roots: roots)
        } catch {
            note("\(error)", at: line, path)
            return nil
        }
    }

    /// A list: the name of a command of the server's table, and templates for its arguments.
    mutating func command(
        _ fields: Fields, isRequired: Bool = false, roots: Set<String> = Template.stepRoots
    ) -> [Template]? {
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
            if let template = template(text, at: fields.line(of: "command"), "\(path)[\(index)]", roots: roots) {
                templates.append(template)
            }
        }
        return templates.count == texts.count ? templates : nil
    }
}
