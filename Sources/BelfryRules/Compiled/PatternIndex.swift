import BelfryCore

/// Many patterns as one, by the values that lead to them. It never changes.
///
/// Each way to satisfy a pattern, a *branch*, hangs under the tests of one of its clauses, the one that fewest others share:
/// a value of an event leads to the branches whose test it passes, by a look-up, and each of these is held against the rest of
/// the event. So what an event costs follows the tests that it passes, not the number of patterns.
///
/// A branch that is reached too often costs time and is never a wrong match: all its clauses are tested. One that is not reached is
/// a lost match: so each test has an ``Access``, or its clause is no way in, and a branch without a way in is always reached.
///
/// Everything is numbers in flat arrays: 100,000 patterns are some twenty objects, and matching counts no references.
final class PatternIndex: Sendable {
    /// A field's list in a pattern. Clauses that say the same are one.
    struct Clause: Sendable {
        var leaf: Int32
        /// Where its tests stand in the arena.
        var tests: Int32
        var testCount: Int32
        /// One of the tests is `exists: false`.
        var isAbsence: Bool
    }

    struct Branch: Sendable {
        var pattern: Int32
        /// Where its clauses stand in ``clauseNumbers``.
        var clauses: Int32
        var clauseCount: Int32
        /// As ``PatternBranch/isContiguous(_:)``.
        var isContiguous: Bool
    }

    /// What the values of one path can be looked up by.
    struct Path: Sendable {
        /// One bit for each class of length of whole texts: the length modulo 64.
        var textLengths: UInt64 = 0
        var hasLiterals = false
        var hasNumbers = false
        var hasAddresses = false
        var hasFoldedTexts = false
        /// Parts of ``lengths``, each the shortest first.
        var prefixes: Range<Int32> = 0..<0
        var suffixes: Range<Int32> = 0..<0
        var foldedPrefixes: Range<Int32> = 0..<0
        var foldedSuffixes: Range<Int32> = 0..<0
        var masks: Range<Int32> = 0..<0
        /// A part of ``intervals``.
        var ranges: Range<Int32> = 0..<0
        /// The root in ``literals``; -1: there is none.
        var root: Int32 = -1
        /// The list of the branches that any value leads to; -1: there is none.
        var any: Int32 = -1
    }

    let patternCount: Int
    let arena: TestArena
    let clauses: [Clause]
    let clauseNumbers: [Int32]
    let branches: [Branch]
    /// Branches that no value leads to.
    let always: [Int32]
    let paths: [Path]
    let lengths: [Int32]
    let lists: ListTable
    let intervals: IntervalIndex
    let literals: LiteralAutomaton

    init(_ builder: PatternIndexBuilder, _ ways: PatternIndexBuilder.Ways) {
        patternCount = builder.patternCount
        arena = builder.arena
        clauses = builder.clauses
        clauseNumbers = builder.clauseNumbers
        branches = builder.branches
        always = ways.always
        paths = ways.paths
        lengths = ways.lengths
        lists = ways.lists
        intervals = ways.intervals
        literals = ways.literals
    }

    /// Bytes that it takes.
    var byteCount: Int {
        arena.byteCount + clauses.count * MemoryLayout<Clause>.stride
            + (clauseNumbers.count + always.count + lengths.count) * MemoryLayout<Int32>.stride
            + branches.count * MemoryLayout<Branch>.stride + paths.count * MemoryLayout<Path>.stride
            + lists.byteCount + intervals.byteCount + literals.byteCount
    }
}
