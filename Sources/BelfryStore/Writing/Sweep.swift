import BelfryCore
import GRDB

/// Forgets identities, body digests, secrets, answers to commands and counted tokens whose time is over, a bounded number of rows per commit.
struct Sweep {
    private var lastBegun: Timestamp?
    private var isUnderWay = false

    mutating func continueIfDue(in transaction: WriteTransaction) throws {
        let isDue = lastBegun.map { transaction.now - $0 >= Limits.sweepInterval } ?? true
        guard isUnderWay || isDue else { return }
        if !isUnderWay { lastBegun = transaction.now }
        var isFull = false
        let now = transaction.now
        let cutoffs = [
            (Self.identities, now.milliseconds), (Self.digests, now.milliseconds), (Self.secrets, now.milliseconds),
            (Self.refusals, (now - Limits.identityRetention).milliseconds),
            (Self.commands, (now - Limits.commandRetention).milliseconds),
            (Self.tokens, UTCDay(now).number - Limits.tokenDaysKept),
        ]
        for (sql, cutoff) in cutoffs {
            try transaction.execute(sql, [cutoff, Limits.sweepRowsMax])
            isFull = isFull || transaction.db.changesCount >= Limits.sweepRowsMax
        }
        isUnderWay = isFull
    }

    private static let identities = """
        DELETE FROM identities WHERE (source, key) IN
            (SELECT source, key FROM identities INDEXED BY identities_by_expiry WHERE expires <= ? LIMIT ?)
        """
    private static let digests = """
        DELETE FROM body_digests WHERE (source, digest) IN
            (SELECT source, digest FROM body_digests INDEXED BY body_digests_by_expiry WHERE expires <= ? LIMIT ?)
        """
    /// A handful of rows in all: no index.
    private static let secrets = """
        DELETE FROM generated_secrets WHERE (source, number) IN
            (SELECT source, number FROM generated_secrets WHERE expires <= ? LIMIT ?)
        """
    /// A row per rule and day: no index.
    private static let tokens = """
        DELETE FROM rule_tokens WHERE (rule, day) IN (SELECT rule, day FROM rule_tokens WHERE day < ? LIMIT ?)
        """
    private static let commands = """
        DELETE FROM commands WHERE (principal, id) IN
            (SELECT principal, id FROM commands INDEXED BY commands_by_time WHERE created <= ? LIMIT ?)
        """
    private static let refusals = """
        DELETE FROM refusals WHERE (source, code, minute) IN
            (SELECT source, code, minute FROM refusals INDEXED BY refusals_by_minute WHERE minute <= ? LIMIT ?)
        """
}
