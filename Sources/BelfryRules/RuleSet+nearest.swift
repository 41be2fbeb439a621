public import BelfryCore

/// The rules of a set that an event is nearest to, of however many there are.
public struct NearestRules: Sendable {
    /// Those that match first, then by how much is missing; of equals in the order of their names.
    public var rules: [Rule] = []
    /// All rules of the set that match, shown or not.
    public var matching = 0
    /// All rules of the set that name other sources.
    public var forOtherSources = 0
}

extension RuleSet {
    /// Which rules come closest to an event, an object. One pass over the event and a bounded look at each rule: no
    /// explanation is built for what is not shown.
    /// - Parameter max: how many are told.
    public func nearest(to event: JSONValue, max: Int) -> NearestRules {
        let fields = EventFields(event, wanted: nil)
        let rules = rules
        var nearest = NearestRules()
        // The nearest so far, ascending.
        var kept: [(distance: PatternDistance, index: Int)] = []
        for (index, rule) in rules.enumerated() where !rule.isForWaitsOnly {
            let definition = rule.definition
            let distance = definition.distance(to: fields)
            if distance.isMatch { nearest.matching += 1 }
            if distance.isOtherSource { nearest.forOtherSources += 1 }
            if kept.count == max {
                guard let last = kept.last, distance < last.distance else { continue }
                kept.removeLast()
            }
            guard max > 0 else { continue }
            let place = kept.firstIndex { distance < $0.distance } ?? kept.endIndex
            kept.insert((distance, index), at: place)
        }
        nearest.rules = kept.map { rules[$0.index] }
        return nearest
    }
}

extension RuleDefinition {
    fileprivate func distance(to event: EventFields) -> PatternDistance {
        if let resolve, resolve.pattern.matches(event) { return .match }
        if steps.contains(where: { $0.eventWait?.pattern.matches(event) == true }) { return .match }
        return pattern.distance(to: event)
    }
}
