import BelfryCore

/// Rules that are compiled together.
final class RuleLayer: Sendable {
    /// In the order of their names.
    let rules: [Rule]
    let index: PatternIndex
    /// The paths of this layer and of the one below it.
    let tree: KeyTree
    /// For each pattern of the index twice the place of its rule, and one more if it is the rule's `when`: of the two
    /// patterns of a rule the one that counts first stands first.
    private let owners: [Int32]

    init(_ rules: [Rule], below tree: KeyTree) {
        let rules = rules.sorted { $0.name < $1.name }
        var tree = tree
        var builder = PatternIndexBuilder()
        var owners: [Int32] = []
        for (place, rule) in rules.enumerated() where rule.definition.isEnabled {
            if let resolve = rule.definition.resolve {
                builder.add(resolve.pattern, &tree)
                resolve.pattern.forgetBranches()
                owners.append(Int32(place * 2))
            }
            builder.add(rule.definition.pattern, &tree)
            rule.definition.pattern.forgetBranches()
            owners.append(Int32(place * 2 + 1))
        }
        self.rules = rules
        self.index = builder.index()
        self.tree = tree
        self.owners = owners
    }

    /// Where the rule of a name stands.
    func place(of name: String) -> Int? {
        var range = 0..<rules.count
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            let candidate = rules[middle].name
            if candidate == name { return middle }
            range = candidate < name ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
        }
        return nil
    }

    /// The rules that an event satisfies, in the order of their names.
    func matches(
        _ event: borrowing MatchedEvent, _ notes: inout MatchScratch.Notes, _ work: inout MatchWork,
        except hidden: Set<Int32>
    ) -> [RuleMatch] {
        index.match(event, &notes, &work)
        if notes.found.isEmpty { return [] }
        notes.found.sort()
        var matches: [RuleMatch] = []
        var last: Int32 = -1
        for pattern in notes.found {
            let place = owners[Int(pattern)] >> 1
            guard place != last, hidden.isEmpty || !hidden.contains(place) else { continue }
            last = place
            matches.append(
                RuleMatch(rule: rules[Int(place)], kind: owners[Int(pattern)] & 1 == 0 ? .resolves : .triggers))
        }
        return matches
    }
}
