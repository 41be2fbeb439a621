import BelfryCore

/// A field's list in a pattern: the field passes if one of its values passes one of the tests.
struct PatternClause: Sendable {
    let path: FieldPath
    let tests: [ValueTest]
    /// The same number in every branch that shares the clause.
    let id: Int
}

/// One way to satisfy a pattern: clauses that must all hold. A pattern without `$or` has one branch.
struct PatternBranch: Sendable {
    /// In the order of their paths, which is event-ruler's (UTF-16): `exists: false` sees the array elements that the
    /// clauses before it have chosen.
    let clauses: [PatternClause]

    init(_ unordered: some Sequence<PatternClause>) {
        clauses = unordered.sorted { $0.path.precedesInUTF16($1.path) }
    }

    /// Every path and every prefix of one.
    var wanted: Set<FieldPath> {
        clauses.reduce(into: []) { wanted, clause in wanted.formUnion(clause.path.prefixes) }
    }

    /// For each prefix of a path the last clause it is a prefix of: past it, an array there no longer ties clauses.
    var lastUse: [FieldPath: Int] {
        var lastUse: [FieldPath: Int] = [:]
        for (index, clause) in clauses.enumerated() {
            for prefix in clause.path.prefixes { lastUse[prefix] = index }
        }
        return lastUse
    }

    /// Whether the arrays that still tie clauses always lie on the path of the next clause.
    /// Not so for `x`, `x-1`, `x.a`: the array `x` is needed again after `x-1`.
    func isContiguous(_ lastUse: [FieldPath: Int]) -> Bool {
        var previous: [FieldPath] = []
        for (index, clause) in clauses.enumerated() {
            let prefixes = clause.path.prefixes
            let live = previous.filter { lastUse[$0, default: -1] >= index }
            if !live.isEmpty, !Set(live).isSubset(of: prefixes) { return false }
            previous = prefixes
        }
        return true
    }
}
