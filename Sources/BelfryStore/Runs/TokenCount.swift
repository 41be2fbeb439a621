import BelfryCore
import GRDB

/// What a rule's steps have used within one UTC day.
struct TokenCount: Sendable, Equatable {
    var day = UTCDay(Timestamp(seconds: 0))
    var tokens: Int64 = 0
    /// A notice has told that it is enough.
    var isNoticed = false

    /// Whether nothing more may begin.
    func isSpent(_ limits: RuleLimits) -> Bool { limits.tokensPerDay.map { tokens >= $0 } ?? false }

    /// `200113 of 200000 tokens are used on 2026-01-02 (UTC)`
    func text(_ limits: RuleLimits) -> String {
        "\(tokens) of \(limits.tokensPerDay ?? 0) tokens are used on \(day) (UTC)"
    }
}

extension WriteTransaction {
    /// The day is the one of the commit: a clock that is set back finds what was counted on that day.
    func tokensToday(rule: String) throws -> TokenCount {
        var count = TokenCount(day: UTCDay(now))
        let sql = "SELECT tokens, noticed FROM rule_tokens WHERE rule = ? AND day = ?"
        guard let row = try row(sql, [rule, count.day.number]) else { return count }
        count.tokens = row.int("tokens")
        count.isNoticed = row.flag("noticed")
        return count
    }

    /// Adds what the steps that a change ends have used.
    func count(tokens: Int, rule: String, limits: RuleLimits) throws {
        guard tokens > 0 else { return }
        try execute(
            """
            INSERT INTO rule_tokens (rule, day, tokens) VALUES (?, ?, ?)
            ON CONFLICT (rule, day) DO UPDATE SET tokens = tokens + excluded.tokens
            """,
            [rule, UTCDay(now).number, min(tokens, Limits.ruleTokensPerDayMax)]
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
            .budget, .warning, title: "rule \(rule) has used up its tokens of the day",
            text:
                "\(count.text(limits)): its runs end before their next step, and no new one begins until midnight UTC",
            rule: rule
        )
        try append(notice.frame(at: now))
    }
}
