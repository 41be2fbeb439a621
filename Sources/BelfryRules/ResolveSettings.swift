public import BelfryCore

/// Which events resolve what a rule's matches have begun.
public struct ResolveSettings: Sendable {
    /// The type of an alert that no longer fires.
    static let resolvedAlert = "alert.resolved"

    public var pattern: EventPattern
    /// Joined with the group's values, in their order.
    public var by: [TemplatePath]
    /// A group holds several alerts, by their subject, and is resolved with the last of them.
    public var isBySubject = false

    public init(pattern: EventPattern, by: [TemplatePath]) {
        self.pattern = pattern
        self.by = by
    }
}

extension RuleDefinition {
    /// Whether nothing else is said, and it matters which presets its sources have.
    public var mayBeResolvedByAlerts: Bool {
        resolve == nil && (group != nil || onResolvedIsGiven) && !alertSources.isEmpty
    }

    /// The rule, resolved by `alert.resolved` of the sources it is for, where nothing else is said: if all of them are
    /// sources of alerts, and it has a `group` or an `on_resolved`.
    /// - Parameter presets: of the sources there are, by name.
    public func resolvingAlerts(of presets: [String: Preset]) -> RuleDefinition {
        guard mayBeResolvedByAlerts, alertSources.allSatisfy({ presets[$0]?.sendsAlerts == true }),
            let pattern = try? EventPattern(
                json: [
                    "source": .array(alertSources.map(JSONValue.string)),
                    "type": [.string(ResolveSettings.resolvedAlert)],
                ]
            ),
            let subject = try? TemplatePath(eventPath: "subject")
        else { return self }
        var rule = self
        var resolve = ResolveSettings(pattern: pattern, by: group?.by ?? [subject])
        resolve.isBySubject =
            group.map { !["subject", "event.subject"].contains($0.by.map(\.text).joined(separator: ",")) } ?? false
        rule.resolve = resolve
        return rule
    }
}

extension RuleDefinition {
    /// What is wrong with an `on_resolved` that nothing can bring about, and how it is mended.
    func whyNothingResolves(_ presets: [String: Preset]) -> String {
        let mend = "say which events resolve it: resolve: { when: { … } }"
        guard !alertSources.isEmpty else { return "nothing resolves what the rule begins; \(mend)" }
        if let unknown = alertSources.first(where: { presets[$0] == nil }) {
            return "nothing resolves what the rule begins: there is no source '\(unknown)'; \(mend)"
        }
        let other = alertSources.first { presets[$0]?.sendsAlerts != true } ?? ""
        return "nothing resolves what the rule begins: the source '\(other)' sends no alerts; \(mend)"
    }
}

extension Preset {
    /// Whether its events tell that an alert fires (`alert.firing`), and when it no longer does (`alert.resolved`).
    fileprivate var sendsAlerts: Bool { self == .alertmanager || self == .grafana }
}
