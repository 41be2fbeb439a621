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
    /// For each prefix of a path the last clause it is a prefix of: past it, an array there no longer ties clauses.
    let lastUse: [FieldPath: Int]
    /// Whether the arrays that still tie clauses always lie on the path of the next clause.
    /// Not so for `x`, `x-1`, `x.a`: the array `x` is needed again after `x-1`.
    let isContiguous: Bool

    init(_ unordered: some Sequence<PatternClause>) {
        clauses = unordered.map { ($0, Array($0.path.text.utf16)) }
            .sorted { $0.1.lexicographicallyPrecedes($1.1) }.map(\.0)
        var lastUse: [FieldPath: Int] = [:]
        let prefixes = clauses.map { $0.path.prefixes }
        for (index, prefixes) in prefixes.enumerated() {
            for prefix in prefixes { lastUse[prefix] = index }
        }
        self.lastUse = lastUse
        var previous: [FieldPath] = []
        var isContiguous = true
        for (index, prefixes) in prefixes.enumerated() {
            let live = previous.filter { lastUse[$0, default: -1] >= index }
            if !live.isEmpty, !Set(live).isSubset(of: prefixes) { isContiguous = false }
            previous = prefixes
        }
        self.isContiguous = isContiguous
    }
}
