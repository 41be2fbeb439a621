import BelfryCore

/// How long each client waits before it comes back to a hub that is stopping: spread evenly, so that all of them do not
/// come in one second. Pure.
///
/// The delays follow the golden ratio: whatever part of the clients comes back, and in whatever order they were told,
/// their delays lie evenly between the bounds, which random numbers would not.
public struct ReconnectSpread: Sendable {
    /// Between these every delay lies. Their distance grows with the number of clients.
    public let range: ClosedRange<Duration>
    /// Where in the range the next delay lies, from 0 to 1.
    private var point: Double

    /// - Parameters:
    ///   - clients: how many will be told.
    ///   - offset: from 0 to 1; where the first delay lies.
    public init(clients: Int, offset: Double) {
        let needed = Duration.milliseconds(clients * 1000 / Limits.reconnectsPerSecond)
        let width = min(max(needed, Limits.reconnectSpreadMin), Limits.reconnectSpreadMax)
        range = Limits.reconnectSpreadStart...(Limits.reconnectSpreadStart + width)
        point = min(max(offset, 0), 1)
    }

    /// The delay of the next client, in whole milliseconds.
    public mutating func next() -> Duration {
        let milliseconds = Double((range.upperBound - range.lowerBound).milliseconds)
        let delay = range.lowerBound + .milliseconds(Int64(milliseconds * point))
        point = (point + 0.618_033_988_749_894_9).truncatingRemainder(dividingBy: 1)
        return delay
    }
}
