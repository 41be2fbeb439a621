import BelfryCore
import BelfryRules

extension Registry.Snapshot {
    var presets: [String: Preset] { sources.mapValues(\.definition.preset) }

    /// Gives rules about alerts what resolves them; which sources send alerts is known when all are read.
    /// - Parameters:
    ///   - names: the rules that are looked at.
    ///   - enabled: those of them that may match.
    mutating func letAlertsResolve(_ names: some Sequence<String>, _ enabled: inout [Rule]) {
        let presets = presets
        for name in names {
            guard let rule = rules[name], rule.mayBeResolvedByAlerts else { continue }
            rules[name] = rule.resolvingAlerts(of: presets)
        }
        for index in enabled.indices where enabled[index].definition.mayBeResolvedByAlerts {
            let rule = enabled[index]
            enabled[index] = Rule(definition: rules[rule.definition.name] ?? rule.definition, version: rule.version)
        }
    }
}
