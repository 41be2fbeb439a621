public import BelfryCore
import GRDB

/// What operators and the hub itself know of a rule, beside its document. It ends with the document.
public struct RuleState: Sendable, Hashable {
    /// `belfry rules enable|disable`
    public var isEnabled = true
    /// `belfry rules observe`: matches are recorded, nothing starts.
    public var isObserving = false
    /// `belfry rules mute`; ask ``mute(at:)``, because it may be over.
    private var lastMute: RuleMute?
    /// Its breaker is open: the hub itself lets it start nothing.
    public var broken: BrokenRule?

    public init() {}

    /// The mute that holds at a moment.
    public func mute(at moment: Timestamp) -> RuleMute? { lastMute.flatMap { $0.until > moment ? $0 : nil } }
}

/// A rule that is to be quiet for a while: its matches are recorded as `paused`.
public struct RuleMute: Sendable, Hashable {
    public var until: Timestamp
    /// The principal's name.
    public var by: String
}

extension RuleState {
    init(_ row: Row) {
        isEnabled = row.flag("enabled")
        isObserving = row.flag("observed")
        lastMute = row.optionalTimestamp("muted_until").map {
            RuleMute(until: $0, by: row.optionalText("muted_by") ?? row.text("changed_by"))
        }
        broken = BrokenRule(row)
    }
}
