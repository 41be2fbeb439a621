import BelfryCore

/// Reads `rule:` documents.
extension DocumentDecoder {
    private static let ruleKeys = [
        "rule", "about", "enabled", "mode", "when", "group", "resolve", "on_resolved", "limits", "notify", "run",
    ]

    private enum Mode: String, CaseIterable { case run, observe }

    /// Nil if anything is wrong; then the diagnostics say what.
    mutating func rule(_ node: DocumentNode) -> RuleDefinition? {
        let errorCount = diagnostics.count
        guard let fields = fields(node, path: "", known: Self.ruleKeys) else { return nil }
        let name = name(fields, "rule")
        if fields["when"] == nil { note("is missing: an event pattern, { source: [github] }", in: fields, "when") }
        let pattern = pattern(fields, "when")
        let run = run(fields)
        let about = string(fields, "about")
        let isEnabled = bool(fields, "enabled") ?? true
        let mode = choice(fields, "mode", of: Mode.self)
        let limits = limits(fields)
        let group = group(fields)
        let resolve = resolve(fields, group: group)
        let onResolved = choice(fields, "on_resolved", of: OnResolved.self)
        let notify = bool(fields, "notify") ?? false
        guard diagnostics.count == errorCount, let name, let pattern, let run else { return nil }
        var rule = RuleDefinition(name: name, pattern: pattern, steps: run.steps)
        rule.about = about
        rule.params = run.params
        rule.isEnabled = isEnabled
        rule.observesOnly = mode == .observe
        rule.limits = limits
        rule.group = group
        rule.resolve = resolve
        rule.onResolved = onResolved ?? rule.onResolved
        rule.onResolvedIsGiven = onResolved != nil
        rule.alertSources = alertSources(fields)
        rule.notify = notify
        return rule
    }

    /// The pattern under a key; nil if there is none, or if something is wrong with it, which is noted.
    mutating func pattern(_ fields: Fields, _ key: String) -> EventPattern? {
        guard let member = fields[key] else { return nil }
        do throws(PatternErrors) {
            return try EventPattern(parsing: member.value)
        } catch {
            let path = fields.path(of: key)
            for error in error.errors {
                note(error.message, at: error.line, error.path.isEmpty ? path : "\(path).\(error.path)")
            }
            return nil
        }
    }
}
