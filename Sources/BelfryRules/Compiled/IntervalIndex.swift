/// Numeric ranges by the numbers they contain: a look-up costs the ranges it finds, and a logarithm.
///
/// The intervals of a path lie sorted in one part of the array, which is read as a balanced tree: its middle is the root.
struct IntervalIndex: Sendable {
    struct Interval: Sendable {
        var lower: Double
        var upper: Double
        /// The greatest upper bound in the part of the tree below.
        var reach: Double = 0
        var branch: Int32

        /// Bounds that are not included count as if they were: what is found is held against the test anyway.
        init(_ range: NumericRange, branch: Int32) {
            lower = range.lower?.number.value ?? -.infinity
            upper = range.upper?.number.value ?? .infinity
            self.branch = branch
        }
    }

    private var intervals: [Interval] = []

    var byteCount: Int { intervals.count * MemoryLayout<Interval>.stride }

    /// Adds the intervals of one path. - Returns: the part of the array that they are in.
    mutating func append(_ path: [Interval]) -> Range<Int32> {
        let start = intervals.count
        intervals += path.sorted { $0.lower < $1.lower }
        _ = setReach(start..<intervals.count)
        return Int32(start)..<Int32(intervals.count)
    }

    private mutating func setReach(_ part: Range<Int>) -> Double {
        guard !part.isEmpty else { return -.infinity }
        let middle = (part.lowerBound + part.upperBound) / 2
        let below = max(setReach(part.lowerBound..<middle), setReach((middle + 1)..<part.upperBound))
        intervals[middle].reach = max(intervals[middle].upper, below)
        return intervals[middle].reach
    }

    /// The branches in a part whose range, bounds included, contains the number.
    func forEachBranch(in part: Range<Int32>, containing number: Double, _ body: (Int32) -> Void) {
        search(Int(part.lowerBound)..<Int(part.upperBound), number, above: nil, body)
    }

    /// The same for many numbers, each branch's range once: a range that contains one of them, and the one before it, was found
    /// with that one.
    /// - Parameter numbers: the least first.
    func forEachBranch(in part: Range<Int32>, containing numbers: [Double], _ body: (Int32) -> Void) {
        var last: Double?
        for number in numbers where number != last {
            search(Int(part.lowerBound)..<Int(part.upperBound), number, above: last, body)
            last = number
        }
    }

    /// - Parameter last: ranges that begin here, or before it, are left out.
    private func search(_ part: Range<Int>, _ number: Double, above last: Double?, _ body: (Int32) -> Void) {
        guard !part.isEmpty else { return }
        let middle = (part.lowerBound + part.upperBound) / 2
        guard intervals[middle].reach >= number else { return }
        let isAbove = last.map { intervals[middle].lower > $0 } ?? true
        if isAbove { search(part.lowerBound..<middle, number, above: last, body) }
        guard intervals[middle].lower <= number else { return }
        if isAbove, intervals[middle].upper >= number { body(intervals[middle].branch) }
        search((middle + 1)..<part.upperBound, number, above: last, body)
    }
}
