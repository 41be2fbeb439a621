/// How far an event is from satisfying a pattern. Less is nearer.
///
/// A wrong source is further off than a wrong type, and that further than any number of other clauses: a rule for another
/// sender is not nearly a match, however many of its other clauses happen to hold.
struct PatternDistance: Comparable, Sendable {
    /// Clauses that failed, of the nearest way; an event whose values stand in different elements of an array
    /// counts as one.
    var failures = 0
    var isOtherSource = false
    var isOtherType = false

    static let match = PatternDistance()

    var isMatch: Bool { failures == 0 }

    private var rank: (Int, Int, Int) { (isOtherSource ? 1 : 0, isOtherType ? 1 : 0, failures) }

    static func < (left: PatternDistance, right: PatternDistance) -> Bool { left.rank < right.rank }
}

extension FieldPath {
    static let source = FieldPath("source")
    static let type = FieldPath("type")
}

extension EventPattern {
    /// The distance to an event.
    /// - Parameter max: what is not nearer than this need not be told exactly.
    func distance(to event: EventFields, max: PatternDistance? = nil) -> PatternDistance {
        var nearest: PatternDistance?
        for branch in branches {
            guard let distance = branch.distance(to: event, max: nearest ?? max) else { continue }
            nearest = distance
            if distance.isMatch { break }
        }
        return nearest ?? max ?? .match
    }
}

extension PatternBranch {
    /// Nil if it is not below `bound`.
    fileprivate func distance(to event: EventFields, max bound: PatternDistance?) -> PatternDistance? {
        var distance = PatternDistance()
        func isTooFar() -> Bool { bound.map { distance >= $0 } ?? false }
        // What weighs most is looked at first, so that most rules for other senders are dropped by one clause.
        for clause in clauses where clause.isFirst && !clause.holds(for: event) {
            distance.failures += 1
            if clause.path == .source { distance.isOtherSource = true } else { distance.isOtherType = true }
            if isTooFar() { return nil }
        }
        // `exists: false` may hold beside an array element although another element has the value.
        var absences = 0
        for clause in clauses where !clause.isFirst && !clause.holds(for: event) {
            if !event.arrayPaths.isEmpty, clause.tests.contains(where: \.isAbsence) {
                absences += 1
            } else {
                distance.failures += 1
                if isTooFar() { return nil }
            }
        }
        if distance.isMatch {
            if PatternMatcher(self, event).verdict() == .matched { return distance }
            distance.failures = max(absences, 1)
        } else {
            distance.failures += absences
        }
        return isTooFar() ? nil : distance
    }
}

extension PatternClause {
    /// Whether it says which events are meant at all.
    fileprivate var isFirst: Bool { path == .source || path == .type }

    /// Whether it holds by itself, whatever array elements the other clauses have chosen.
    func holds(for event: EventFields) -> Bool {
        guard let fields = event.fields[path] else { return tests.contains(where: \.isAbsence) }
        return fields.contains { field in tests.contains { $0.matches(field.value) } }
    }
}
