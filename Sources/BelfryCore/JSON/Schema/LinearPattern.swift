/// A regular expression of JSON Schema (ECMA-262 with the `u` flag), matched in a time that grows with the text times the
/// states of the pattern, whatever either is: Thompson's simulation (1968), without a way back.
///
/// Literals, classes, `.`, `* + ? {m,n}` (lazy ones too: they find the same), `|`, groups, `^ $ \b \B`, `\d \w \s`. What needs a
/// way back (references, lookaround) and what needs tables (`\p{…}`) is refused.
struct LinearPattern: Sendable {
    /// Why a pattern is refused, and what to write instead.
    struct Issue: Error, Sendable {
        var reason: String
    }

    enum Instruction: Sendable {
        case scalar(ScalarSet)
        case split(Int, Int)
        case jump(Int)
        case anchor(Anchor)
        case found
    }

    enum Anchor: Sendable {
        case start, end, wordEdge, noWordEdge
    }

    private let program: [Instruction]

    init(_ text: String) throws(Issue) {
        var parser = LinearPatternParser(text)
        var compiler = LinearPatternCompiler()
        try compiler.emit(try parser.parse())
        program = compiler.program + [.found]
    }

    /// Whether some part of a text matches.
    ///
    /// - Parameter stepsLeft: how many states may still be visited; less than 0 afterwards: that was not enough, and the answer says
    ///   nothing.
    func isFound(in text: String, stepsLeft: inout Int) -> Bool {
        var search = Search(program: program, stepsLeft: stepsLeft)
        defer { stepsLeft = search.stepsLeft }
        var rest = text.unicodeScalars.makeIterator()
        var previous: Unicode.Scalar?
        var current = rest.next()
        while search.stepsLeft >= 0 {
            // A match may begin anywhere.
            search.enter(0, between: previous, and: current)
            if search.isFound { return true }
            guard let scalar = current else { return false }
            current = rest.next()
            search.step(over: scalar, before: current)
            previous = scalar
        }
        return false
    }
}

/// The states that a text has led to so far.
private struct Search {
    let program: [LinearPattern.Instruction]
    var stepsLeft: Int
    private(set) var isFound = false
    /// States that wait for a character.
    private var waiting: [Int] = []
    /// The round in which each state was entered last.
    private var rounds: [Int]
    private var round = 1
    private var entering: [Int] = []

    init(program: [LinearPattern.Instruction], stepsLeft: Int) {
        self.program = program
        self.stepsLeft = stepsLeft
        rounds = [Int](repeating: 0, count: program.count)
    }

    /// Enters a state and all that it leads to without a character.
    mutating func enter(_ state: Int, between previous: Unicode.Scalar?, and next: Unicode.Scalar?) {
        entering.append(state)
        while let state = entering.popLast() {
            guard rounds[state] < round else { continue }
            rounds[state] = round
            stepsLeft -= 1
            switch program[state] {
            case .scalar: waiting.append(state)
            case .jump(let target): entering.append(target)
            case .split(let first, let second): entering += [second, first]
            case .anchor(let anchor): if anchor.holds(between: previous, and: next) { entering.append(state + 1) }
            case .found: isFound = true
            }
        }
    }

    mutating func step(over scalar: Unicode.Scalar, before next: Unicode.Scalar?) {
        let states = waiting
        waiting.removeAll(keepingCapacity: true)
        round += 1
        for state in states {
            guard case .scalar(let set) = program[state] else { continue }
            stepsLeft -= 1
            if set.contains(scalar) { enter(state + 1, between: scalar, and: next) }
        }
    }
}

extension LinearPattern.Anchor {
    func holds(between previous: Unicode.Scalar?, and next: Unicode.Scalar?) -> Bool {
        func isWord(_ scalar: Unicode.Scalar?) -> Bool { scalar.map { ScalarSet.word.contains($0) } ?? false }
        return switch self {
        case .start: previous == nil
        case .end: next == nil
        case .wordEdge: isWord(previous) != isWord(next)
        case .noWordEdge: isWord(previous) == isWord(next)
        }
    }
}

/// Characters, as ranges of code points that neither touch nor overlap, in order.
struct ScalarSet: Sendable, Hashable {
    private var ranges: [ClosedRange<UInt32>]

    init(_ ranges: [ClosedRange<UInt32>]) {
        self.ranges = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = self.ranges.last, range.lowerBound <= last.upperBound + 1 {
                let upper = max(last.upperBound, range.upperBound)
                self.ranges[self.ranges.count - 1] = last.lowerBound...upper
            } else {
                self.ranges.append(range)
            }
        }
    }

    init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    /// The code point, if it is a single one.
    var only: UInt32? { ranges.count == 1 && ranges[0].count == 1 ? ranges[0].lowerBound : nil }

    var inverted: ScalarSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { gaps.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= 0x10FFFF { gaps.append(next...0x10FFFF) }
        return ScalarSet(gaps)
    }

    /// By halving: a class may list hundreds.
    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < scalar.value { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= scalar.value
    }

    static let digit = ScalarSet([0x30...0x39])
    static let word = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    /// ECMA-262's WhiteSpace and LineTerminator.
    static let space = ScalarSet([
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
        0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ])
    /// What `.` stands for.
    static let anyButLineEnd = ScalarSet([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029]).inverted
}
