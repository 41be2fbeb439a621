import BelfryCore

/// What a pattern can cost, counted with every combination of its `$or`s written out, because so it is matched.
struct PatternCost: Equatable, Sendable {
    /// Values and operators: what the pattern keeps in memory.
    var leaves = 0
    /// Wildcards that have to be searched for. Each reads a value's text once, however many `*` it has; one with a single
    /// `*` compares two ends and reads no more than they are long, as all other operators do. So this is how many times an
    /// event is read for the pattern at most.
    var searches = 0

    init(leaves: Int = 0) { self.leaves = leaves }

    init(of tests: [ValueTest]) {
        leaves = tests.count
        searches = tests.reduce(0) { $0 + Self.searches(in: $1.kind) }
    }

    private static func searches(in kind: ValueTest.Kind) -> Int {
        switch kind {
        case .wildcard(let wildcard): wildcard.starCount > 1 ? 1 : 0
        case .anythingBut(let excluded): excluded.reduce(0) { $0 + searches(in: $1) }
        default: 0
        }
    }

    /// What is over its bound, if anything is.
    var excess: PatternIssue? {
        if leaves > Limits.patternLeavesMax {
            return PatternIssue(
                "more than \(Limits.patternLeavesMax) values when every combination of $or is written out",
                hint: "make several rules of it")
        }
        if searches > Limits.patternSearchesMax {
            return PatternIssue(
                "more than \(Limits.patternSearchesMax) wildcards with two or more '*' when every combination of $or is "
                    + "written out",
                hint: "use prefix, suffix or one '*' where they will do, or make several rules of it")
        }
        return nil
    }

    /// Fields set over and over in many combinations, which leaves nothing behind that could be counted.
    static let tooManySteps = PatternIssue(
        "too many fields in too many combinations of $or", hint: "make several rules of it")

    static func += (cost: inout PatternCost, other: PatternCost) {
        cost.leaves += other.leaves
        cost.searches += other.searches
    }

    static func -= (cost: inout PatternCost, other: PatternCost) {
        cost.leaves -= other.leaves
        cost.searches -= other.searches
    }
}
