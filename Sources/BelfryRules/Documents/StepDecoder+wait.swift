import BelfryCore

/// Reads `wait` steps.
extension DocumentDecoder {
    private static let waits = Duration.milliseconds(100)...Limits.runTimeMax

    mutating func waitStep(_ fields: Fields, _ scope: StepScope) -> WaitStep? {
        guard let member = fields["wait"] else { return nil }
        switch member.value.content {
        case .string: return duration(fields, "wait", in: Self.waits).map { .duration($0) }
        case .object: return eventWait(member.value, fields, scope).map { .event($0) }
        default:
            expected(
                "a duration (10m) or { for: PATTERN, within: 1h }", found: member.value, fields.path(of: "wait"),
                line: member.line)
            return nil
        }
    }

    private mutating func eventWait(_ node: DocumentNode, _ outer: Fields, _ scope: StepScope) -> EventWait? {
        guard
            let fields = fields(node, path: outer.path(of: "wait"), known: ["for", "by", "within", "look_back"])
        else { return nil }
        if fields["for"] == nil { note("is missing: an event pattern, { source: [ci] }", in: fields, "for") }
        let pattern = pattern(fields, "for")
        let by = joins(fields, scope)
        let within = duration(fields, "within", in: Self.waits)
        let lookBack = duration(fields, "look_back", in: .seconds(1)...Limits.waitLookBackMax)
        guard let pattern, let by else { return nil }
        var wait = EventWait(pattern: pattern, by: by)
        wait.within = within ?? wait.within
        wait.lookBack = lookBack
        return wait
    }

    // MARK: Places

    /// A list of places that both events have, or a mapping of places in the later event to the run's own.
    private mutating func joins(_ fields: Fields, _ scope: StepScope) -> [EventWait.Join]? {
        guard let member = fields["by"] else { return [] }
        guard case .object(let members) = member.value.content else {
            return eventPaths(fields, "by")?.map { EventWait.Join(later: $0, own: $0) }
        }
        guard members.count <= Limits.groupValuesMax else {
            note("at most \(Limits.groupValuesMax) values", in: fields, "by")
            return nil
        }
        var joins: [EventWait.Join] = []
        for member in members {
            let path = "\(fields.path(of: "by")).\(member.key)"
            let later = eventPath(member.key, at: member.line, path)
            if let later, joins.contains(where: { $0.later.text == later.text }) {
                note("the key stands twice", at: member.line, path)
            }
            guard case .string(let text) = member.value.content else {
                expected("a place, as text", found: member.value, path, line: member.line)
                continue
            }
            let own = ownPath(text, at: member.line, path, scope)
            if let later, let own { joins.append(EventWait.Join(later: later, own: own)) }
        }
        return joins.count == members.count ? joins : nil
    }

    private mutating func ownPath(_ text: String, at line: Int, _ path: String, _ scope: StepScope) -> TemplatePath? {
        guard let written = try? TemplatePath(text[...]), EventWait.Join.roots.contains(written.root) else {
            return eventPath(text, at: line, path)
        }
        guard let fault = scope.fault(of: written) else { return written }
        note(fault, at: line, path)
        return nil
    }

    private mutating func eventPath(_ text: String, at line: Int, _ path: String) -> TemplatePath? {
        do throws(PatternIssue) {
            return try TemplatePath(eventPath: text)
        } catch {
            note("'\(text.cut(toBytes: 80))': \(error.message)", at: line, path)
            return nil
        }
    }
}
