import BelfryCore

/// Events, matches and runs by a key, of at most so many keys; the rest is counted together.
struct BoundedCounts<Key: Hashable & Sendable>: Sendable {
    struct Count: Sendable {
        var events = 0
        var matches = 0
        var runs = 0
        /// When the key came first: it breaks ties.
        var number = 0
    }

    private let max: Int
    private var counts: [Key: Count] = [:]
    private var others = Count()

    init(max: Int) { self.max = max }

    mutating func add(_ key: Key, events: Int, matches: Int = 0, runs: Int = 0) {
        func add(_ count: inout Count) {
            count.events += events
            count.matches += matches
            count.runs += runs
        }
        guard counts[key] != nil || counts.count < max else { return add(&others) }
        let first = Count(number: counts.count)
        add(&counts[key, default: first])
    }

    /// `{count, top: [{…key, events?, matches, runs?}], others: {matches, runs}}`: the keys with most matches first.
    func json(_ key: (Key) -> JSONObject) -> JSONObject {
        let sorted = counts.sorted { left, right in
            (right.value.matches, right.value.events, left.value.number)
                < (left.value.matches, left.value.events, right.value.number)
        }
        let top = sorted.prefix(Limits.backtestRowsMax).map { entry -> JSONValue in
            var json = key(entry.key)
            for member in Self.json(entry.value).members { json[member.key] = member.value }
            return .object(json)
        }
        var rest = others
        for entry in sorted.dropFirst(Limits.backtestRowsMax) {
            rest.events += entry.value.events
            rest.matches += entry.value.matches
            rest.runs += entry.value.runs
        }
        return [
            // With others that are not told apart it is a lower bound.
            "count": .int(counts.count), "is_exact": .bool(others.events + others.matches + others.runs == 0),
            "top": .array(top), "others": .object(Self.json(rest)),
        ]
    }

    private static func json(_ count: Count) -> JSONObject {
        ["events": .int(count.events), "matches": .int(count.matches), "runs": .int(count.runs)]
    }
}
