public import BelfryCore

/// Reads `group`, `resolve` and `on_resolved`.
extension DocumentDecoder {
    private static let groupKeys = ["by", "within", "threshold", "debounce", "cooldown", "while_running"]
    private static let windows = Duration.milliseconds(100)...Limits.groupWindowMax

    // MARK: Groups

    /// Nil without a `group`, and if anything is wrong with it.
    mutating func group(_ fields: Fields) -> GroupSettings? {
        guard let member = fields["group"],
            let inner = self.fields(member.value, path: fields.path(of: "group"), known: Self.groupKeys)
        else { return nil }
        var policy = GroupPolicy()
        policy.within = duration(inner, "within", in: Self.windows)
        policy.threshold = int(inner, "threshold", in: 1...Limits.groupThresholdMax)
        policy.debounce = duration(inner, "debounce", in: Self.windows)
        policy.cooldown = duration(inner, "cooldown", in: Self.windows)
        policy.whileRunning =
            choice(inner, "while_running", of: GroupPolicy.WhileRunning.self) ?? policy.whileRunning
        check(policy, inner)
        let by = inner["by"] == nil ? [] : eventPaths(inner, "by")
        return GroupSettings(by: by ?? [], policy: policy)
    }

    private mutating func check(_ policy: GroupPolicy, _ fields: Fields) {
        if fields["threshold"] != nil, fields["debounce"] != nil {
            note("not together with threshold: one counts events, the other waits for quiet", in: fields, "debounce")
        }
        for key in ["threshold", "debounce"] where fields[key] != nil && fields["within"] == nil {
            let why =
                key == "threshold" ? "in which the events are counted" : "after which the run starts at the latest"
            note("needs within: the time \(why)", in: fields, key)
        }
        if let debounce = policy.debounce, let within = policy.within, debounce > within {
            note(
                "\(debounce.shorthand) is longer than within (\(within.shorthand)): every run would start at the window's end",
                in: fields, "debounce")
        }
    }

    // MARK: Resolving

    /// Nil without a `resolve`, and if anything is wrong with it.
    mutating func resolve(_ fields: Fields, group: GroupSettings?) -> ResolveSettings? {
        guard let member = fields["resolve"],
            let inner = self.fields(member.value, path: fields.path(of: "resolve"), known: ["when", "by"])
        else { return nil }
        if inner["when"] == nil { note("is missing: an event pattern, { source: [plant] }", in: inner, "when") }
        let pattern = pattern(inner, "when")
        let by = inner["by"] == nil ? group?.by ?? [] : eventPaths(inner, "by")
        guard let pattern, let by else { return nil }
        if let group, group.by.count != by.count {
            note(
                "has \(by.count) of the \(group.by.count) values of group.by; they are joined in their order",
                in: inner, "by")
        }
        return ResolveSettings(pattern: pattern, by: by)
    }

    /// The sources that `when` names, if it names nothing but them and no resolved alerts: those may be the ones that
    /// resolve what the rule begins, if they are sources of alerts.
    func alertSources(_ fields: Fields) -> [String] {
        guard let when = fields["when"]?.value, let sources = when.texts(at: "source"), !sources.isEmpty,
            when.texts(at: "type")?.contains(ResolveSettings.resolvedAlert) != true
        else { return [] }
        return sources
    }

    // MARK: Paths

    /// Places in the event: `data.sensor`, `subject`, `event.headers["x-site"]`.
    mutating func eventPaths(_ fields: Fields, _ key: String) -> [TemplatePath]? {
        guard let texts = strings(fields, key, max: Limits.groupValuesMax) else { return nil }
        var paths: [TemplatePath] = []
        for text in texts {
            do throws(PatternIssue) {
                let path = try TemplatePath(eventPath: text)
                if paths.contains(where: { $0.text == path.text }) {
                    note("'\(text.cut(toBytes: 80))' stands twice", in: fields, key)
                }
                paths.append(path)
            } catch {
                let hint = error.hint.map { "; \($0)" } ?? ""
                note("'\(text.cut(toBytes: 80))': \(error.reason)\(hint)", in: fields, key)
            }
        }
        return paths.count == texts.count ? paths : nil
    }
}

extension DocumentNode {
    /// The texts of a list that holds nothing else, under a key of a mapping.
    fileprivate func texts(at key: String) -> [String]? {
        guard case .object(let members) = content,
            case .array(let elements)? = members.last(where: { $0.key.hasSameBytes(as: key) })?.value.content
        else { return nil }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element.content else { return nil }
            texts.append(text)
        }
        return texts
    }
}

extension TemplatePath {
    /// Members of the event that hold one text: nothing lies below them.
    private static let texts = ["id", "source", "origin", "key", "type", "subject", "time", "received", "remote"]
    private static let mappings = ["data", "headers", "ext"]

    /// A place in the event, with or without `event.` before it.
    init(eventPath written: String) throws(PatternIssue) {
        let path = try TemplatePath(written[...])
        var (root, parts) = (path.root, path.parts[...])
        if root == "event" {
            guard case .key(let name)? = parts.first else {
                throw PatternIssue("the whole event is never the same twice", hint: "name a place in it: data.sensor")
            }
            (root, parts) = (name, parts.dropFirst())
        }
        if Self.texts.contains(root) {
            guard parts.isEmpty else { throw PatternIssue("\(root) is a text, nothing lies below it") }
        } else if !Self.mappings.contains(root) {
            let known = (Self.texts + Self.mappings).sorted()
            let nearest = NearestName.of(root, among: known).map { "did you mean '\($0)'?" }
            throw PatternIssue(
                "an event has no '\(root.cut(toBytes: 80))'", hint: nearest ?? "known: \(known.joined(separator: ", "))"
            )
        }
        self = path
    }

    /// The value in an event, given as `Event.value`; null if there is none.
    public func value(inEvent event: JSONValue) -> JSONValue {
        value(in: root == "event" ? ["event": event] : event) ?? .null
    }
}
