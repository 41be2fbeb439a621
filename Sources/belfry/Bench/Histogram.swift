/// Durations, kept to 1.6 %: 64 linear steps per power of two nanoseconds.
struct Histogram: Sendable {
    private var counts = [UInt32](repeating: 0, count: 60 * 64)
    private(set) var count = 0
    private var longestNanoseconds: UInt64 = 0

    var longest: Duration { .nanoseconds(Int64(longestNanoseconds)) }

    mutating func add(_ duration: Duration) { add(nanoseconds: duration.nanoseconds) }

    mutating func add(nanoseconds: Int64) {
        let value = UInt64(max(0, nanoseconds))
        count += 1
        longestNanoseconds = max(longestNanoseconds, value)
        guard value >= 64 else {
            counts[Int(value)] += 1
            return
        }
        let exponent = 63 - value.leadingZeroBitCount
        counts[(exponent - 5) * 64 + Int((value >> UInt64(exponent - 6)) & 63)] += 1
    }

    /// The duration that the fraction `q` of all stays within; zero when there are none.
    func quantile(_ q: Double) -> Duration {
        guard q < 1 else { return longest }
        var left = min(count - 1, Int(q * Double(count)))
        for (index, number) in counts.enumerated() where number > 0 {
            left -= Int(number)
            if left >= 0 { continue }
            let value = index < 64 ? UInt64(index) : UInt64(64 | index & 63) << UInt64(index / 64 - 1)
            return min(longest, .nanoseconds(Int64(value)))
        }
        return longest
    }
}

extension Duration {
    /// Whole nanoseconds.
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
    /// Seconds with a fraction.
    var asSeconds: Double { Double(nanoseconds) / 1e9 }
    /// Milliseconds to two digits.
    var asMilliseconds: Double { (Double(nanoseconds) / 1e4).rounded() / 100 }
}
