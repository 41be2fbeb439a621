/// How many runs led to an event: what a run's command sends to the hub again counts one more than the run's event.
///
/// The loop guard counts what carries the number on: `belfry send` does, others send the header themselves.
public enum Hops {
    /// Request header of a delivery. Lower case.
    public static let header = "belfry-hops"
    /// In the environment of a step's program: what it is to send.
    public static let variable = "BELFRY_HOPS"
    /// More are not counted: it fits in a byte.
    public static let max = 255

    /// Reads the header's values. None is 0; what is not one whole number up to ``max`` counts as ``max``: who sends the
    /// header at all is no stranger to loops.
    public static func count(in values: [String]) -> Int {
        guard let text = values.first else { return 0 }
        guard values.count == 1, (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- 0x30 < 10 }),
            let count = Int(text)
        else { return max }
        return min(count, max)
    }

    /// What a run's programs send, whose event came after so many.
    public static func next(after hops: Int) -> Int { min(hops + 1, max) }
}
