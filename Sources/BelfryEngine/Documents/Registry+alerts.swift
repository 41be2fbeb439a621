import BelfryCore
import BelfryRules

extension Registry.Snapshot {
    /// Gives rules about alerts what resolves them; which sources send alerts is known when all are read.
    /// - Parameter enabled: the rules that may match.
    mutating func letAlertsResolve(_ enabled: inout [Rule]) {
        guard rules.values.contains(where: \.mayBeResolvedByAlerts) else { return }
        let presets = sources.mapValues(\.definition.preset)
        for (name, rule) in rules where rule.mayBeResolvedByAlerts {
            rules[name] = rule.resolvingAlerts(of: presets)
        }
        for index in enabled.indices where enabled[index].definition.mayBeResolvedByAlerts {
            let rule = enabled[index]
            enabled[index] = Rule(
                definition: rule.definition.resolvingAlerts(of: presets), version: rule.version)
        }
    }
}
