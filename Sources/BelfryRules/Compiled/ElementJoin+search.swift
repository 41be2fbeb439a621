import BelfryCore

extension ElementJoin {
    /// Elements that are tried first: where a branch holds, it mostly holds soon. Then eight times as many.
    private static let firstCount = 16

    /// Whether the clauses of a branch hold together, by look-ups: the clause that fewest elements pass says which elements count,
    /// and of the others only the values there are looked at.
    mutating func holdsBySearch(
        _ clauses: ArraySlice<Int32>, _ index: PatternIndex, _ event: borrowing MatchedEvent,
        _ values: inout EventValues, _ cost: inout MatchCost
    ) -> Bool {
        guard let pivot = pivot(clauses, index, event, &values, &cost) else {
            return holds(clauses, index, event, &cost) { join, clause, _, cost in
                join.searchAll(clause, index, event, &values, &cost)
                join.searchPresent(clause, event, &values)
            }
        }
        var countMax = Self.firstCount
        while true {
            choosePivots(pivot, countMax: countMax, index, event, &values, &cost)
            let holds = holds(clauses, index, event, &cost) { join, clause, number, cost in
                if number == pivot {
                    for place in join.pivots.members { join.accepted.insert(place) }
                } else {
                    join.search(clause, atPivotsOf: index.clauses[Int(pivot)], index, event, &values, &cost)
                }
                join.searchPresent(clause, event, &values)
            }
            if holds { return true }
            if pivots.members.count < countMax || cost.isCutShort { return false }
            countMax *= 8
        }
    }

    /// Of the clauses that values in arrays alone satisfy, the one that fewest pass.
    private func pivot(
        _ clauses: ArraySlice<Int32>, _ index: PatternIndex, _ event: borrowing MatchedEvent,
        _ values: inout EventValues, _ cost: inout MatchCost
    ) -> Int32? {
        var best: (number: Int32, count: Int)?
        for number in clauses {
            let clause = index.clauses[Int(number)]
            let path = values.path(of: clause.leaf, event)
            guard !clause.isAbsence, !values.paths[path].outside.passes(clause, index.arena, event, &cost) else {
                continue
            }
            let count = values.paths[path].inside.countMax(clause, index.arena, event, &cost)
            if count < best?.count ?? .max { best = (number, count) }
        }
        return best?.number
    }

    private mutating func choosePivots(
        _ number: Int32, countMax: Int, _ index: PatternIndex, _ event: borrowing MatchedEvent,
        _ values: inout EventValues, _ cost: inout MatchCost
    ) {
        pivots.clear(capacity: event.fields.places.count)
        let clause = index.clauses[Int(number)]
        let path = values.path(of: clause.leaf, event)
        values.paths[path].inside.forEachPlace(clause, index.arena, event, &cost) { place in
            pivots.insert(place)
            return pivots.members.count < countMax
        }
    }

    /// Accepts all places where values pass a clause.
    private mutating func searchAll(
        _ clause: PatternIndex.Clause, _ index: PatternIndex, _ event: borrowing MatchedEvent,
        _ values: inout EventValues, _ cost: inout MatchCost
    ) {
        let path = values.path(of: clause.leaf, event)
        if values.paths[path].outside.passes(clause, index.arena, event, &cost) { accepted.insert(0) }
        values.paths[path].inside.forEachPlace(clause, index.arena, event, &cost) { place in
            accepted.insert(place)
            return true
        }
    }

    /// Accepts the places where values pass a clause, at least those that agree with a pivot in the arrays around both.
    private mutating func search(
        _ clause: PatternIndex.Clause, atPivotsOf pivot: PatternIndex.Clause, _ index: PatternIndex,
        _ event: borrowing MatchedEvent, _ values: inout EventValues, _ cost: inout MatchCost
    ) {
        guard cost.spend(pivots.members.count) else { return }
        let node = event.tree.node(ofLeaf: clause.leaf)
        shared.clear(capacity: event.fields.places.count)
        for place in pivots.members {
            var place = place
            while place > 0 {
                let array = event.fields.arrays[Int(event.fields.places[Int(place)].array)]
                if event.tree.isOnPath(array, to: node) { break }
                place = event.fields.places[Int(place)].parent
            }
            if place == 0 { return searchAll(clause, index, event, &values, &cost) }
            shared.insert(place)
        }
        let path = values.path(of: clause.leaf, event)
        let countMax = values.paths[path].inside.countMax(clause, index.arena, event, &cost)
        var count = 0
        for place in shared.members where count <= countMax {
            values.forEachField(path, agreeingWith: place, event) { _ in
                count += Int(clause.testCount)
                return count <= countMax
            }
        }
        guard count <= countMax else { return searchAll(clause, index, event, &values, &cost) }
        guard cost.spend(count) else { return }
        if values.paths[path].outside.passes(clause, index.arena, event, &cost) { accepted.insert(0) }
        let table = values.paths[path].inside
        for place in shared.members {
            values.forEachField(path, agreeingWith: place, event) { position in
                let (place, value) = table.byPlace[position]
                let field = event.fields.fields[Int(table.fields[Int(value)])]
                if !accepted.contains(place),
                    index.arena.passesAny(from: clause.tests, count: clause.testCount, field.kind, event.text[field])
                {
                    accepted.insert(place)
                }
                return true
            }
        }
    }

    /// Of a clause that asks for absence: one place that agrees with each chosen one, if there is any.
    private mutating func searchPresent(
        _ clause: PatternIndex.Clause, _ event: borrowing MatchedEvent, _ values: inout EventValues
    ) {
        guard clause.isAbsence else { return }
        if event.fields.hasFieldOutsideArrays(of: clause.leaf) { return present.insert(0) }
        let path = values.path(of: clause.leaf, event)
        let table = values.paths[path].inside
        for place in chosen.members {
            values.forEachField(path, agreeingWith: place, event) { position in
                present.insert(table.byPlace[position].place)
                return false
            }
        }
    }
}
