/// What one subscriber got of the messages of its topic, which are numbered: each must come once and in order.
struct DeliveryAccount: Sendable {
    private(set) var count = 0
    private(set) var doubled = 0
    private(set) var reordered = 0
    private var next: Int
    /// Numbers below `next` that have not come.
    private var missing: Set<Int> = []

    /// - Parameter first: the number that should come first.
    init(first: Int) { next = first }

    /// Whether this number is new; a second one counts as doubled, one that comes behind a later one as reordered.
    mutating func take(_ number: Int) -> Bool {
        if number >= next {
            if number > next { missing.formUnion(next..<number) }
            next = number + 1
        } else if missing.remove(number) != nil {
            reordered += 1
        } else {
            doubled += 1
            return false
        }
        count += 1
        return true
    }

    /// How many of the numbers before `end` have not come.
    func lost(before end: Int) -> Int { missing.count + max(0, end - next) }
}
