import BelfryCore

/// The plain matcher: holds one branch against one event, clause by clause.
///
/// What makes it more than a loop is array consistency: values that satisfy different clauses must not come from different
/// elements of one array (``PlaceJoin``).
struct PatternMatcher {
    typealias Place = EventFields.Place

    let branch: PatternBranch
    let event: EventFields

    init(_ branch: PatternBranch, _ event: EventFields) {
        self.branch = branch
        self.event = event
    }

    enum Verdict: Equatable {
        case matched
        /// The clause (by index) at which no choice of values was left.
        case failed(clause: Int)
        /// Too many combinations of array elements; it counts as no match.
        case tooComplex(clause: Int)
    }

    func verdict() -> Verdict {
        let lastUse = branch.lastUse
        var join = PlaceJoin(isChained: branch.isContiguous(lastUse) && !event.hasAmbiguousKeys)
        for (index, clause) in branch.clauses.enumerated() {
            let fields = event.fields[clause.path] ?? []
            let accepted = places(of: fields) { field in clause.tests.contains { $0.matches(field.value) } }
            let isAbsence = clause.tests.contains(where: \.isAbsence)
            let outcome = join.add(accepted, exceptIn: isAbsence ? places(of: fields) { _ in true } : nil) { array in
                lastUse[event.arrayPaths[array], default: -1] > index
            }
            switch outcome {
            case .joined: continue
            case .failed: return .failed(clause: index)
            case .tooComplex: return .tooComplex(clause: index)
            }
        }
        return .matched
    }

    private func places(of fields: [EventFields.Field], where isWanted: (EventFields.Field) -> Bool) -> Set<Place> {
        var places: Set<Place> = []
        for field in fields where !places.contains(field.place) && isWanted(field) { places.insert(field.place) }
        return places
    }
}
