import BelfryCore

/// Array consistency (``PlaceJoin``) on the numbers of a ``FieldList``: for branches of which several clauses have their values
/// inside of arrays. Works with the same arrays from branch to branch.
struct ElementJoin: Sendable {
    /// Places, each once.
    struct Places: Sendable {
        private(set) var members: [Int32] = []
        /// By place: the stamp where it is a member.
        private var marks: [UInt32] = []
        private var stamp: UInt32 = 0

        mutating func clear(capacity: Int) {
            members.removeAll(keepingCapacity: true)
            if marks.count < capacity || stamp == .max {
                marks = Array(repeating: 0, count: capacity)
                stamp = 0
            }
            stamp += 1
        }

        func contains(_ place: Int32) -> Bool { marks[Int(place)] == stamp }

        mutating func insert(_ place: Int32) {
            guard !contains(place) else { return }
            marks[Int(place)] = stamp
            members.append(place)
        }

        var isLarge: Bool { marks.count > 1 << 16 }
    }

    /// Whether it holds on to more than most events need.
    var isLarge: Bool {
        chosen.isLarge || accepted.isLarge || present.isLarge || joined.isLarge || pivots.isLarge || shared.isLarge
    }

    /// What the clauses so far leave.
    private(set) var chosen = Places()
    /// Of the clause at hand.
    var accepted = Places()
    var present = Places()
    private var joined = Places()
    /// See ``holdsBySearch(_:_:_:_:_:)``.
    var pivots = Places()
    var shared = Places()
    /// Whether arrays at a node can still be met by a later clause; by array, for one clause.
    private var isNeeded: [KeyTree.Node: Bool] = [:]

    /// Whether the clauses of a branch can be satisfied by values that do not come from different elements of one array.
    mutating func holds(
        _ branch: PatternIndex.Branch, _ index: PatternIndex, _ event: borrowing MatchedEvent,
        _ values: inout EventValues, _ cost: inout MatchCost
    ) -> Bool {
        guard branch.isContiguous, !event.fields.hasAmbiguousKeys else {
            return holdsAnyhow(branch, index, event, &cost)
        }
        let clauses = index.clauseNumbers[Int(branch.clauses)..<Int(branch.clauses + branch.clauseCount)]
        guard cost.isHigh else {
            return holds(clauses, index, event, &cost) { join, clause, _, cost in
                join.scan(clause, index, event, &cost)
            }
        }
        return holdsBySearch(clauses, index, event, &values, &cost)
    }

    /// - Parameter gather: sets ``accepted`` to where values stand that pass a clause, and, if the clause asks for absence,
    ///   ``present`` to where values stand.
    mutating func holds(
        _ clauses: ArraySlice<Int32>, _ index: PatternIndex, _ event: borrowing MatchedEvent, _ cost: inout MatchCost,
        _ gather: (inout ElementJoin, PatternIndex.Clause, Int32, inout MatchCost) -> Void
    ) -> Bool {
        let count = event.fields.places.count
        chosen.clear(capacity: count)
        chosen.insert(0)
        for position in clauses.indices {
            let clause = index.clauses[Int(clauses[position])]
            accepted.clear(capacity: count)
            present.clear(capacity: count)
            gather(&self, clause, clauses[position], &cost)
            joined.clear(capacity: count)
            for place in accepted.members where isInside(place, of: chosen, event) { joined.insert(place) }
            for place in chosen.members where isInside(place, of: accepted, event) { joined.insert(place) }
            if clause.isAbsence { addAbsent(event) }
            if joined.members.isEmpty { return false }
            forget(clauses[(position + 1)...], index, event)
        }
        return true
    }

    /// Looks at all values of a clause.
    private mutating func scan(
        _ clause: PatternIndex.Clause, _ index: PatternIndex, _ event: borrowing MatchedEvent, _ cost: inout MatchCost
    ) {
        var position = event.fields.lastField(of: clause.leaf)
        while position >= 0 {
            cost.steps += 1
            let field = event.fields.fields[Int(position)]
            position = field.previous
            present.insert(field.place)
            if !accepted.contains(field.place),
                index.arena.passesAny(from: clause.tests, count: clause.testCount, field.kind, event.text[field])
            {
                accepted.insert(field.place)
            }
        }
    }

    /// Whether a place or one around it is a member.
    private func isInside(_ place: Int32, of places: Places, _ event: borrowing MatchedEvent) -> Bool {
        var place = place
        while place >= 0 {
            if places.contains(place) { return true }
            place = event.fields.places[Int(place)].parent
        }
        return false
    }

    /// Adds the chosen places that agree with none where there is a value.
    private mutating func addAbsent(_ event: borrowing MatchedEvent) {
        let direct = present.members
        let chosenMembers = chosen.members.filter { !isInside($0, of: present, event) }
        // From here on `present` is also every place around one.
        for place in direct {
            var outer = event.fields.places[Int(place)].parent
            while outer >= 0, !present.contains(outer) {
                present.insert(outer)
                outer = event.fields.places[Int(outer)].parent
            }
        }
        for place in chosenMembers where !present.contains(place) { joined.insert(place) }
    }

    /// Makes what was joined the choice, without the arrays that no later clause can be in.
    private mutating func forget(
        _ later: ArraySlice<Int32>, _ index: PatternIndex, _ event: borrowing MatchedEvent
    ) {
        isNeeded.removeAll(keepingCapacity: true)
        chosen.clear(capacity: event.fields.places.count)
        for place in joined.members {
            var place = place
            while place > 0 {
                let node = event.fields.arrays[Int(event.fields.places[Int(place)].array)]
                if needs(node, later, index, event.tree) { break }
                place = event.fields.places[Int(place)].parent
            }
            chosen.insert(place)
        }
    }

    private mutating func needs(
        _ node: KeyTree.Node, _ later: ArraySlice<Int32>, _ index: PatternIndex, _ tree: KeyTree
    ) -> Bool {
        if let known = isNeeded[node] { return known }
        let needed = later.contains { tree.isOnPath(node, to: tree.node(ofLeaf: index.clauses[Int($0)].leaf)) }
        isNeeded[node] = needed
        return needed
    }

    // MARK: Anything else

    /// What a place costs here, as an array of its own in a set, beside one that is a number.
    private static let stepsPerPair = 16

    /// For what is no chain of places: the definition's own join.
    private func holdsAnyhow(
        _ branch: PatternIndex.Branch, _ index: PatternIndex, _ event: borrowing MatchedEvent,
        _ cost: inout MatchCost
    ) -> Bool {
        let (list, tree) = (event.fields, event.tree)
        var join = PlaceJoin(isChained: false)
        let clauses = index.clauseNumbers[Int(branch.clauses)..<Int(branch.clauses + branch.clauseCount)]
        for position in clauses.indices {
            let clause = index.clauses[Int(clauses[position])]
            var accepted: Set<PlaceJoin.Place> = []
            var present: Set<PlaceJoin.Place> = []
            var field = list.lastField(of: clause.leaf)
            while field >= 0 {
                guard cost.spend(Self.stepsPerPair) else { return false }
                let value = list.fields[Int(field)]
                let place = list.pairs(of: value.place)
                present.insert(place)
                if index.arena.passesAny(from: clause.tests, count: clause.testCount, value.kind, event.text[value]) {
                    accepted.insert(place)
                }
                field = value.previous
            }
            let later = clauses[(position + 1)...]
            let stepsLeft = join.stepsLeft
            let outcome = join.add(accepted, exceptIn: clause.isAbsence ? present : nil) { array in
                later.contains { tree.isOnPath(list.arrays[array], to: tree.node(ofLeaf: index.clauses[Int($0)].leaf)) }
            }
            guard cost.spend((stepsLeft - max(0, join.stepsLeft)) * Self.stepsPerPair), case .joined = outcome else {
                return false
            }
        }
        return true
    }
}

extension FieldList {
    /// A place as ``EventFields/Place``.
    fileprivate func pairs(of place: Int32) -> EventFields.Place {
        var pairs: EventFields.Place = []
        var place = place
        while place > 0 {
            let element = places[Int(place)]
            pairs.append(UInt64(element.array) << 32 | UInt64(element.index))
            place = element.parent
        }
        return pairs.reversed()
    }
}
