public import BelfryCore
import GRDB

/// What a rule's steps have used within one UTC day.
struct TokenCount: Sendable, Equatable {
    var day = UTCDay(Timestamp(seconds: 0))
    var tokens: Int64 = 0
    var cost = Cost()
    /// A notice has told that it is enough.
    var isNoticed = false

    /// Whether nothing more may begin.
    func isSpent(_ limits: RuleLimits) -> Bool { areTokensSpent(limits) || isCostSpent(limits) }

    private func areTokensSpent(_ limits: RuleLimits) -> Bool { limits.tokensPerDay.map { tokens >= $0 } ?? false }

    private func isCostSpent(_ limits: RuleLimits) -> Bool { limits.costPerDay.map { cost >= $0 } ?? false }

    /// `tokens_per_day: 200113 of 200000 tokens are used on 2026-01-02 (UTC)`
    func text(_ limits: RuleLimits) -> String {
        guard isCostSpent(limits), let most = limits.costPerDay, !areTokensSpent(limits) else {
            return "tokens_per_day: \(tokens) of \(limits.tokensPerDay ?? 0) tokens are used on \(day) (UTC)"
        }
        return "cost_per_day: \(cost.text) of \(most.text) are spent on \(day) (UTC)"
    }
}

extension Store {
    /// Counts what a run has used in the middle of a step.
    /// - Returns: whether its rule has used up what it may of the day, that included.
    public func count(_ spent: Spending, rule: String, limits: RuleLimits) async throws(BelfryError) -> Bool {
        try await writer.perform { transaction in
            try transaction.count(spent, rule: rule, limits: limits)
            return try transaction.tokensToday(rule: rule).isSpent(limits)
        }
    }
}

extension WriteTransaction {
    /// The day is the one of the commit: a clock that is set back finds what was counted on that day.
    func tokensToday(rule: String) throws -> TokenCount {
        var count = TokenCount(day: UTCDay(now))
        let sql = "SELECT tokens, cost, noticed FROM rule_tokens WHERE rule = ? AND day = ?"
        guard let row = try row(sql, [rule, count.day.number]) else { return count }
        count.tokens = row.int("tokens")
        count.cost = Cost(millionths: row.int("cost"))
        count.isNoticed = row.flag("noticed")
        return count
    }

    /// Adds what steps have used.
    func count(_ spent: Spending, rule: String, limits: RuleLimits) throws {
        guard spent != Spending() else { return }
        try execute(
            """
            INSERT INTO rule_tokens (rule, day, tokens, cost) VALUES (?, ?, ?, ?)
            ON CONFLICT (rule, day) DO UPDATE SET tokens = tokens + excluded.tokens, cost = cost + excluded.cost
            """,
            [
                rule, UTCDay(now).number, min(spent.tokens, Limits.ruleTokensPerDayMax),
                min(spent.cost, Cost(units: Limits.costPerDayMax)).millionths,
            ]
        )
        try noticeSpentTokens(rule: rule, limits: limits)
    }

    /// Tells once a day that a rule's tokens are used up, if they are.
    func noticeSpentTokens(rule: String, limits: RuleLimits) throws {
        let count = try tokensToday(rule: rule)
        guard count.isSpent(limits), !count.isNoticed else { return }
        try execute(
            """
            INSERT INTO rule_tokens (rule, day, tokens, noticed) VALUES (?, ?, 0, 1)
            ON CONFLICT (rule, day) DO UPDATE SET noticed = 1
            """,
            [rule, count.day.number]
        )
        let notice = Notice(
            .budget, .warning, title: "rule \(rule) has used up what it may of the day",
            text:
                "limits.\(count.text(limits)): its runs end before their next step, and no new one begins until midnight UTC",
            rule: rule
        )
        try append(notice.frame(at: now))
    }
}
