import BelfryCore

/// Reads `limits:` of rules.
extension DocumentDecoder {
    private static let limitKeys = [
        "concurrency", "runs_per_hour", "tokens_per_day", "cost_per_day", "max_wait", "run_time", "failures",
    ]

    mutating func limits(_ fields: Fields) -> RuleLimits {
        var limits = RuleLimits()
        guard let member = fields["limits"],
            let inner = self.fields(member.value, path: fields.path(of: "limits"), known: Self.limitKeys)
        else { return limits }
        limits.concurrency = int(inner, "concurrency", in: 1...Limits.runsRunningMax) ?? limits.concurrency
        limits.runsPerHour = int(inner, "runs_per_hour", in: 1...1_000_000) ?? limits.runsPerHour
        limits.tokensPerDay = int(inner, "tokens_per_day", in: 1...Limits.ruleTokensPerDayMax)
        limits.costPerDay = double(inner, "cost_per_day", in: 0.01...Limits.costPerDayMax).map { Cost(units: $0) }
        limits.maxWait = duration(inner, "max_wait", in: .seconds(1)...Limits.runWaitMax)
        limits.runTime = duration(inner, "run_time", in: .seconds(1)...Limits.runTimeMax)
        limits.failures = int(inner, "failures", in: 0...Limits.ruleFailuresMax) ?? limits.failures
        return limits
    }
}
