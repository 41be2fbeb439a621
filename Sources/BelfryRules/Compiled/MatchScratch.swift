import BelfryCore
import Synchronization

/// What matching one event works with: made once and used again and again, by one thread at a time.
///
/// Nothing in it is cleared between events: what is noted is valid where its stamp is the event's.
struct MatchScratch: Sendable {
    /// What holds for one index.
    struct Notes: Sendable {
        /// The event's number; the stamp.
        var round: UInt32 = 0
        var lists: [UInt32] = []
        var branches: [UInt32] = []
        var patterns: [UInt32] = []
        /// The stamp, and in the lowest two bits the clause's ``PatternIndex/Fit``.
        var clauses: [UInt32] = []
        /// States of ``PatternIndex/literals`` that were found.
        var literals: [UInt32] = []
        /// Paths of which all numbers were looked for in ``PatternIndex/intervals``.
        var leavesWithRanges: Set<Int32> = []
        /// The field whose value is being followed; -1: none.
        var current: Int32 = -1
        /// Patterns that the event satisfies, in no order.
        var found: [Int32] = []

        mutating func begin(_ index: PatternIndex) {
            found.removeAll(keepingCapacity: true)
            if !leavesWithRanges.isEmpty { leavesWithRanges = [] }
            let isFitting =
                lists.count == index.lists.listCount && branches.count == index.branches.count
                && patterns.count == index.patternCount && clauses.count == index.clauses.count
                && literals.count == index.literals.stateCount
            if !isFitting || round >= 1 << 29 {
                lists = Array(repeating: 0, count: index.lists.listCount)
                branches = Array(repeating: 0, count: index.branches.count)
                patterns = Array(repeating: 0, count: index.patternCount)
                clauses = Array(repeating: 0, count: index.clauses.count)
                literals = Array(repeating: 0, count: index.literals.stateCount)
                round = 0
            }
            round += 1
        }
    }

    var fields = FieldList()
    var base = Notes()
    var changes = Notes()
    var work = MatchWork()
}

/// Scratches that are at rest. As many are made as threads match at a time.
final class ScratchPool: Sendable {
    private let resting = Mutex<[MatchScratch]>([])

    func withScratch<Result, Failure: Error>(
        _ body: (inout MatchScratch) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var scratch = resting.withLock { $0.popLast() } ?? MatchScratch()
        defer {
            if !scratch.fields.isLarge, !scratch.work.join.isLarge {
                resting.withLock { resting in
                    if resting.count < Limits.matchScratchesMax { resting.append(scratch) }
                }
            }
        }
        return try body(&scratch)
    }
}
