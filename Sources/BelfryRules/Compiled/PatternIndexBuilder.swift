import BelfryCore

/// Gathers patterns, and makes a ``PatternIndex`` of them.
struct PatternIndexBuilder {
    private(set) var patternCount = 0
    private(set) var arena = TestArena()
    private(set) var clauses: [PatternIndex.Clause] = []
    private(set) var clauseNumbers: [Int32] = []
    private(set) var branches: [PatternIndex.Branch] = []
    private var leaves: [FieldPath: Int32] = [:]
    /// The last clause of each digest, for each clause the one before it (-1: there is none), and its tests.
    private var known: [UInt64: Int32] = [:]
    private var previous: [Int32] = []
    private var testKinds: [[ValueTest.Kind]] = []
    /// The ways to the tests of all clauses, where those of each test stand, and where the tests of each clause stand.
    private var ways: [Access] = []
    private var testWays: [Range<Int>] = []
    private var clauseTests: [Range<Int>] = []

    /// Adds a pattern. Patterns count from 0.
    mutating func add(_ pattern: EventPattern, _ tree: inout KeyTree) {
        for branch in pattern.branches {
            let start = clauseNumbers.count
            for clause in branch.clauses { clauseNumbers.append(number(of: clause, &tree)) }
            branches.append(
                PatternIndex.Branch(
                    pattern: Int32(patternCount), clauses: Int32(start), clauseCount: Int32(branch.clauses.count),
                    isContiguous: isContiguous(from: start, tree)))
        }
        patternCount += 1
    }

    private mutating func leaf(of path: FieldPath, _ tree: inout KeyTree) -> Int32 {
        if let leaf = leaves[path] { return leaf }
        let leaf = tree.leaf(of: path.parts)
        leaves[path] = leaf
        return leaf
    }

    /// The number of a clause, which is added unless an equal one is known.
    private mutating func number(of clause: PatternClause, _ tree: inout KeyTree) -> Int32 {
        let leaf = leaf(of: clause.path, &tree)
        let kinds = clause.tests.map(\.kind)
        let (firstWay, firstTest) = (ways.count, testWays.count)
        for kind in kinds {
            let start = ways.count
            Access.append(waysTo: kind, at: leaf, to: &ways)
            testWays.append(start..<ways.count)
        }
        // The keys tell nearly all tests apart. Hashing the tests themselves, byte by byte, is slow.
        var digest = TextHash.combine(UInt64(kinds.count), UInt64(leaf))
        var isEnough = true
        for way in firstWay..<ways.count {
            digest = TextHash.combine(digest, ways[way].key)
            if ways[way].key == 0 { isEnough = false }
        }
        if !isEnough { digest = TextHash.combine(digest, UInt64(truncatingIfNeeded: kinds.hashValue)) }
        let last = known[digest] ?? -1
        var number = last
        while number >= 0, clauses[Int(number)].leaf != leaf || testKinds[Int(number)] != kinds {
            number = previous[Int(number)]
        }
        if number >= 0 {
            ways.removeLast(ways.count - firstWay)
            testWays.removeLast(testWays.count - firstTest)
            return number
        }
        number = Int32(clauses.count)
        known[digest] = number
        previous.append(last)
        testKinds.append(kinds)
        clauseTests.append(firstTest..<testWays.count)
        let (start, count) = arena.append(kinds)
        clauses.append(
            PatternIndex.Clause(
                leaf: leaf, tests: start, testCount: count, isAbsence: clause.tests.contains(where: \.isAbsence)))
        return number
    }

    /// Whether no node above the path of one of the last clauses is left and needed again.
    private func isContiguous(from start: Int, _ tree: KeyTree) -> Bool {
        guard clauseNumbers.count - start > 2 else { return true }
        let nodes = clauseNumbers[start...].map { tree.node(ofLeaf: clauses[Int($0)].leaf) }
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
        let costs = clauses.indices.map { cost(ofClause: $0, shared) }
        for (number, branch) in branches.enumerated() {
            let numbers = clauseNumbers[Int(branch.clauses)..<Int(branch.clauses + branch.clauseCount)]
            guard let best = numbers.min(by: { costs[Int($0)] < costs[Int($1)] }), costs[Int(best)] < .max else {
                ways.always.append(Int32(number))
                continue
            }
            let leaf = clauses[Int(best)].leaf
            for test in clauseTests[Int(best)] {
                guard
                    let way = self.ways[testWays[test]].min(by: {
                        $0.cost(shared: shared($0)) < $1.cost(shared: shared($1))
                    })
                else {
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
        for (number, tests) in clauseTests.enumerated() {
            for test in tests {
                for way in ways[testWays[test]] { counts[way.key, default: 0] += branchCounts[number] }
            }
        }
        return { way in way.key == 0 ? 1 : counts[way.key] ?? 1 }
    }

    /// What it costs to hang a branch under a clause; the greatest number: it can't be.
    private func cost(ofClause number: Int, _ shared: (Access) -> Int) -> Int {
        if clauses[number].isAbsence { return .max }
        return clauseTests[number].reduce(0) { sum, test in
            sum + (ways[testWays[test]].map { $0.cost(shared: shared($0)) }.min() ?? 0)
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
