import BelfryCore

/// Array consistency, as event-ruler defines it: values that satisfy different clauses must not come from different
/// elements of one array.
///
/// It carries the set of places chosen so far and joins it with the places of each clause's values; places are forgotten as
/// soon as no later clause can conflict with them, which keeps the set no larger than the event.
struct PlaceJoin {
    typealias Place = EventFields.Place

    enum Outcome {
        case joined
        /// No choice of values is left.
        case failed
        /// Too many combinations of array elements; it counts as no match.
        case tooComplex
    }

    private let isChained: Bool
    private var chosen: Set<Place> = [[]]
    /// Joins left of pairs of places, where they cannot be looked up (see ``slowJoin``).
    private(set) var stepsLeft = Limits.patternJoinsMax

    /// - Parameter isChained: the places of a path are chains of nested elements, and two agree if one begins with the
    ///   other. So it is if the branch is contiguous and the event has no ambiguous keys.
    init(isChained: Bool) { self.isChained = isChained }

    /// Takes in the next clause.
    /// - Parameters:
    ///   - accepted: where its values stand that pass one of its tests.
    ///   - present: if the clause is also satisfied by absence, where it has any value.
    ///   - isNeeded: whether a later clause can be in an array, given by its number.
    mutating func add(
        _ accepted: Set<Place>, exceptIn present: Set<Place>?, whereArray isNeeded: (Int) -> Bool
    ) -> Outcome {
        guard var joined = isChained ? chainJoin(chosen, accepted) : slowJoin(chosen, accepted) else {
            return .tooComplex
        }
        if let present {
            guard let absent = without(chosen, present) else { return .tooComplex }
            joined.formUnion(absent)
        }
        if joined.isEmpty { return .failed }
        if joined.count > 1 || !joined.contains([]) {
            joined = Set(joined.map { $0.filter { isNeeded(EventFields.array(of: $0)) } })
        }
        chosen = joined
        return .joined
    }

    // MARK: Chains: lookups

    /// The longer place of every pair that agrees. (In the order of the paths it is nearly always the right one.)
    private func chainJoin(_ left: Set<Place>, _ right: Set<Place>) -> Set<Place>? {
        if left.count == 1, left.contains([]) { return right }
        var joined: Set<Place> = []
        for place in right where hasBeginning(of: place, in: left) { joined.insert(place) }
        for place in left where hasBeginning(of: place, in: right) { joined.insert(place) }
        return joined
    }

    /// Whether the place or a beginning of it is in the set.
    private func hasBeginning(of place: Place, in places: Set<Place>) -> Bool {
        if places.contains(place) { return true }
        return place.indices.contains { places.contains(Array(place[..<$0])) }
    }

    /// The places of `chosen` that agree with none of `present`.
    private mutating func without(_ chosen: Set<Place>, _ present: Set<Place>) -> Set<Place>? {
        if present.isEmpty { return chosen }
        if present.contains([]) { return [] }
        guard isChained else {
            var kept: Set<Place> = []
            for place in chosen {
                guard spend(present.count) else { return nil }
                if present.allSatisfy({ Self.union(place, $0) == nil }) { kept.insert(place) }
            }
            return kept
        }
        var beginnings: Set<Place> = []
        for place in present {
            for end in 0...place.count { beginnings.insert(Array(place[..<end])) }
        }
        return chosen.filter { !beginnings.contains($0) && !hasBeginning(of: $0, in: present) }
    }

    // MARK: Anything else: every pair, up to a bound

    /// Several arrays of one path stand side by side (`{"a.b": […], "a": {"b": […]}}`), or the pattern leaves an array
    /// and comes back to it: then places are no chains, and combinations multiply. The bound is far above what a sender
    /// means and keeps a hostile event from costing more than a fraction of a second.
    private mutating func slowJoin(_ left: Set<Place>, _ right: Set<Place>) -> Set<Place>? {
        var joined: Set<Place> = []
        for place in left {
            guard spend(right.count) else { return nil }
            for other in right {
                if let union = Self.union(place, other) { joined.insert(union) }
            }
        }
        return joined
    }

    private mutating func spend(_ steps: Int) -> Bool {
        stepsLeft -= steps
        return stepsLeft >= 0
    }

    /// Both places together, in the order of their arrays; nil if they are in different elements of one array.
    private static func union(_ left: Place, _ right: Place) -> Place? {
        var union: Place = []
        var left = left[...]
        var right = right[...]
        while let first = left.first, let second = right.first {
            let (array, other) = (EventFields.array(of: first), EventFields.array(of: second))
            if array == other {
                guard first == second else { return nil }
                right.removeFirst()
            }
            if array <= other {
                union.append(first)
                left.removeFirst()
            } else {
                union.append(second)
                right.removeFirst()
            }
        }
        return union + left + right
    }
}
