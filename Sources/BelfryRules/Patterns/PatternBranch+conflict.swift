extension PatternBranch {
    /// Why a clause that holds by itself does not hold beside the ones before it: where its values stand, and where the
    /// ones of a clause do that has none in the same array element.
    func conflict(at index: Int, in event: EventFields) -> String {
        let own = clauses[index].accepted(in: event)
        for clause in clauses[..<index] {
            let others = clause.accepted(in: event)
            let agree = own.contains { place in others.contains { EventFields.agree(place, $0) } }
            guard !agree, let place = own.first, let other = others.first else { continue }
            return "it is in \(event.text(of: place)), \(clause.path.text) matches in \(event.text(of: other)): "
                + "not in the same array element"
        }
        return "not in the same array element as the other values"
    }
}

extension PatternClause {
    /// The places of the values that pass, in the order of the event; bounded, for a person to read.
    fileprivate func accepted(in event: EventFields) -> [EventFields.Place] {
        var places: [EventFields.Place] = []
        for field in event.fields[path] ?? [] where places.count < Self.placesMax {
            if places.last != field.place, tests.contains(where: { $0.matches(field.value) }) {
                places.append(field.place)
            }
        }
        return places
    }

    private static var placesMax: Int { 64 }
}

extension EventFields {
    /// Whether two places can be of one choice: no array has another element in the one than in the other.
    fileprivate static func agree(_ left: Place, _ right: Place) -> Bool {
        left.allSatisfy { pair in !right.contains { array(of: $0) == array(of: pair) && $0 != pair } }
    }
}
