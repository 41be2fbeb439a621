import BelfryCore

extension RuleLimits {
    /// Whether they bound what a rule may use of a day.
    var boundsTheDay: Bool { tokensPerDay != nil || costPerDay != nil }
}

extension BelfryError {
    /// A rule may use no more today.
    static func usedUp(_ limits: RuleLimits) -> BelfryError {
        let bounds = [
            limits.tokensPerDay.map { "limits.tokens_per_day: \($0)" },
            limits.costPerDay.map { "limits.cost_per_day: \($0.text)" },
        ].compactMap(\.self)
        return BelfryError(
            .budget, "the rule has used up what it may of the day (\(bounds.joined(separator: ", ")))")
    }
}
