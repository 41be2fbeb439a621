import BelfryCore

/// Rules that are compiled together.
final class RuleLayer: Sendable {
    /// In the order of their names.
    let rules: [Rule]
    let index: PatternIndex
    /// The paths of this layer and of the one below it.
    let tree: KeyTree
    /// Whose each pattern of the index is. Of the patterns of a rule the one that counts first stands first.
    private let owners: [Owner]

    /// What a pattern is to its rule.
    private struct Owner {
        static let resolve: Int32 = -2
        static let when: Int32 = -1

        var place: Int32
        /// From 0 on: the index of the step that waits.
        var role: Int32
    }

    init(_ rules: [Rule], below tree: KeyTree) {
        let rules = rules.sorted { $0.name < $1.name }
        var tree = tree
        var builder = PatternIndexBuilder()
        var owners: [Owner] = []
        func add(_ pattern: EventPattern, _ place: Int, _ role: Int32) {
            builder.add(pattern, &tree)
            pattern.forgetBranches()
            owners.append(Owner(place: Int32(place), role: role))
        }
        for (place, rule) in rules.enumerated() {
            if rule.definition.isEnabled, !rule.isForWaitsOnly {
                if let resolve = rule.definition.resolve { add(resolve.pattern, place, Owner.resolve) }
                add(rule.definition.pattern, place, Owner.when)
            }
            guard rule.definition.isEnabled || rule.isForWaitsOnly else { continue }
            for (index, step) in rule.definition.steps.enumerated() {
                if let wait = step.eventWait { add(wait.pattern, place, Int32(index)) }
            }
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
        var (last, resolved) = (Int32(-1), Int32(-1))
        for pattern in notes.found {
            let owner = owners[Int(pattern)]
            guard pattern != last, hidden.isEmpty || !hidden.contains(owner.place) else { continue }
            last = pattern
            let rule = rules[Int(owner.place)]
            switch owner.role {
            case Owner.resolve:
                resolved = owner.place
                matches.append(RuleMatch(rule: rule, kind: .resolves))
            case Owner.when:
                if resolved != owner.place { matches.append(RuleMatch(rule: rule, kind: .triggers)) }
            default:
                matches.append(RuleMatch(rule: rule, kind: .resumes(step: rule.definition.steps[Int(owner.role)].name)))
            }
        }
        return matches
    }
}
