import BelfryCore

/// Gathers patterns, and makes a ``PatternIndex`` of them.
struct PatternIndexBuilder {
    private struct ClauseKey: Hashable {
        var leaf: Int32
        var tests: [ValueTest.Kind]
        /// Of the ways to the tests, because hashing the tests themselves, byte by byte, is slow.
        var digest: UInt64

        /// Not of all of them: some ways have no key.
        var isDigestEnough: Bool

        func hash(into hasher: inout Hasher) {
            hasher.combine(digest)
            if !isDigestEnough { hasher.combine(tests) }
        }
    }

    private(set) var patternCount = 0
    private(set) var arena = TestArena()
    private(set) var clauses: [PatternIndex.Clause] = []
    private(set) var clauseNumbers: [Int32] = []
    private(set) var branches: [PatternIndex.Branch] = []
    private var known: [ClauseKey: Int32] = [:]
    /// For each clause and each of its tests the ways to it.
    private var ways: [[[Access]]] = []

    /// Adds a pattern. Patterns count from 0.
    mutating func add(_ pattern: EventPattern, _ tree: inout KeyTree) {
        for branch in pattern.branches {
            let start = clauseNumbers.count
            for clause in branch.clauses { clauseNumbers.append(number(of: clause, &tree)) }
            let nodes = clauseNumbers[start...].map { tree.node(ofLeaf: clauses[Int($0)].leaf) }
            branches.append(
                PatternIndex.Branch(
                    pattern: Int32(patternCount), clauses: Int32(start), clauseCount: Int32(branch.clauses.count),
                    isContiguous: Self.isContiguous(nodes, tree)))
        }
        patternCount += 1
    }

    private mutating func number(of clause: PatternClause, _ tree: inout KeyTree) -> Int32 {
        let leaf = tree.leaf(of: clause.path.parts)
        let tests = clause.tests.map(\.kind)
        let ways = tests.map { Access.ways(to: $0, at: leaf) }
        let digest = ways.reduce(UInt64(tests.count)) { $1.reduce($0) { TextHash.combine($0, $1.key) } }
        let key = ClauseKey(
            leaf: leaf, tests: tests, digest: digest,
            isDigestEnough: ways.allSatisfy { $0.allSatisfy { $0.key != 0 } })
        if let number = known[key] { return number }
        let number = Int32(clauses.count)
        known[key] = number
        let (start, count) = arena.append(tests)
        clauses.append(
            PatternIndex.Clause(
                leaf: leaf, tests: start, testCount: count, isAbsence: clause.tests.contains(where: \.isAbsence)))
        self.ways.append(ways)
        return number
    }

    /// Whether no node above a clause's path is left and needed again.
    private static func isContiguous(_ nodes: [KeyTree.Node], _ tree: KeyTree) -> Bool {
        guard nodes.count > 2 else { return true }
        for index in 1..<(nodes.count - 1) {
            var node = nodes[index - 1]
            while node != KeyTree.root, !tree.isOnPath(node, to: nodes[index]) {
                if nodes[(index + 1)...].contains(where: { tree.isOnPath(node, to: $0) }) { return false }
                node = tree.parent(of: node)
            }
        }
        return true
    }

    // MARK: Ways in

    /// What leads to the branches.
    struct Ways {
        var always: [Int32] = []
        var paths: [PatternIndex.Path] = []
        var lengths: [Int32] = []
        var lists = ListTable([])
        var intervals = IntervalIndex()
        var literals = LiteralAutomaton()
    }

    func index() -> PatternIndex { PatternIndex(self, waysIn()) }

    private func waysIn() -> Ways {
        let shared = sharing()
        var gathered: [Int32: PathBuilder] = [:]
        var entries: [(key: UInt64, number: Int32)] = []
        var ways = Ways()
        let costs = self.ways.indices.map { cost(ofClause: $0, shared) }
        for (number, branch) in branches.enumerated() {
            let numbers = clauseNumbers[Int(branch.clauses)..<Int(branch.clauses + branch.clauseCount)]
            guard let best = numbers.min(by: { costs[Int($0)] < costs[Int($1)] }), costs[Int(best)] < .max else {
                ways.always.append(Int32(number))
                continue
            }
            let leaf = clauses[Int(best)].leaf
            for choices in self.ways[Int(best)] {
                guard let way = choices.min(by: { $0.cost(shared: shared($0)) < $1.cost(shared: shared($1)) }) else {
                    continue
                }
                gathered[leaf, default: PathBuilder()].add(way, branch: Int32(number), at: leaf, &entries)
            }
        }
        ways.lists = ListTable(entries)
        ways.paths = Array(repeating: PatternIndex.Path(), count: Int(gathered.keys.max() ?? -1) + 1)
        for (leaf, builder) in gathered.sorted(by: { $0.key < $1.key }) {
            ways.paths[Int(leaf)] = builder.path(at: leaf, &ways)
        }
        return ways
    }

    /// How many branches have a clause to which a way leads.
    private func sharing() -> (Access) -> Int {
        var branchCounts = [Int](repeating: 0, count: clauses.count)
        for number in clauseNumbers { branchCounts[Int(number)] += 1 }
        var counts: [UInt64: Int] = [:]
        counts.reserveCapacity(clauses.count)
        for (number, tests) in ways.enumerated() {
            for choices in tests {
                for way in choices { counts[way.key, default: 0] += branchCounts[number] }
            }
        }
        return { way in way.key == 0 ? 1 : counts[way.key] ?? 1 }
    }

    /// What it costs to hang a branch under a clause; the greatest number: it can't be.
    private func cost(ofClause number: Int, _ shared: (Access) -> Int) -> Int {
        if clauses[number].isAbsence { return .max }
        return ways[number].reduce(0) { sum, choices in
            sum + (choices.map { $0.cost(shared: shared($0)) }.min() ?? 0)
        }
    }
}

/// Gathers what the values of one path can be looked up by.
private struct PathBuilder {
    private var path = PatternIndex.Path()
    private var lengths: [Access.Kind: Set<Int32>] = [:]
    private var intervals: [IntervalIndex.Interval] = []
    private var parts: [UInt64: [UInt8]] = [:]
    private var hasAny = false

    mutating func add(
        _ way: Access, branch: Int32, at leaf: Int32, _ entries: inout [(key: UInt64, number: Int32)]
    ) {
        switch way.kind {
        case .null, .isFalse, .isTrue: break
        case .text: path.textLengths |= 1 << UInt64(way.length & 63)
        case .literal: path.hasLiterals = true
        case .number: path.hasNumbers = true
        case .address: path.hasAddresses = true
        case .foldedText: path.hasFoldedTexts = true
        case .prefix, .suffix, .foldedPrefix, .foldedSuffix, .network: lengths[way.kind, default: []].insert(way.length)
        case .inner: parts[way.key] = way.part
        case .range:
            if let range = way.range { intervals.append(IntervalIndex.Interval(range, branch: branch)) }
            return
        case .any:
            hasAny = true
            entries.append((Access.key(.any, leaf, 0), branch))
            return
        }
        entries.append((way.key, branch))
    }

    func path(at leaf: Int32, _ ways: inout PatternIndexBuilder.Ways) -> PatternIndex.Path {
        var path = path
        func append(_ kind: Access.Kind) -> Range<Int32> {
            let start = Int32(ways.lengths.count)
            ways.lengths += (lengths[kind] ?? []).sorted()
            return start..<Int32(ways.lengths.count)
        }
        path.prefixes = append(.prefix)
        path.suffixes = append(.suffix)
        path.foldedPrefixes = append(.foldedPrefix)
        path.foldedSuffixes = append(.foldedSuffix)
        path.masks = append(.network)
        path.ranges = ways.intervals.append(intervals)
        if !parts.isEmpty {
            path.root = ways.literals.append(parts.map { ($0.value, ways.lists.list(of: $0.key)) })
        }
        if hasAny { path.any = ways.lists.list(of: Access.key(.any, leaf, 0)) }
        return path
    }
}
