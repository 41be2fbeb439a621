/// A day in UTC: what budgets count by.
public struct UTCDay: Sendable, Hashable, CustomStringConvertible {
    /// Days since 1970.
    public var number: Int64

    public init(_ time: Timestamp) { number = time.seconds.dividedDown(by: 86400) }

    /// `2026-01-02`
    public var description: String { String(Timestamp(seconds: number * 86400).description.prefix(10)) }
}
