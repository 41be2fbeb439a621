import BelfryCore

/// The ``ValueTable``s of an event, made as tests ask for them.
struct EventValues: Sendable {
    /// The values of one path.
    struct Path: Sendable {
        var outside: ValueTable
        var inside: ValueTable
    }

    private var numbers: [Int32: Int] = [:]
    private var paths: [Path] = []
    /// For each place the number behind the last one inside of it: places are numbered as their elements begin.
    private var ends: [Int32] = []

    mutating func removeAll() {
        guard !paths.isEmpty || !ends.isEmpty else { return }
        numbers = [:]
        paths = []
        ends = []
    }

    /// The number of a path by which the other functions know it.
    mutating func path(of leaf: Int32, _ event: borrowing MatchedEvent) -> Int {
        if let known = numbers[leaf] { return known }
        var (outside, inside): ([Int32], [Int32]) = ([], [])
        var position = event.fields.lastField(of: leaf)
        while position >= 0 {
            let field = event.fields.fields[Int(position)]
            if field.place == 0 { outside.append(position) } else { inside.append(position) }
            position = field.previous
        }
        paths.append(Path(outside: ValueTable(outside, event), inside: ValueTable(inside, event)))
        numbers[leaf] = paths.count - 1
        return paths.count - 1
    }

    subscript(path: Int) -> Path { paths[path] }

    /// The numbers of a path that can be compared, the least first.
    mutating func numbers(_ path: Int, isInside: Bool, _ event: borrowing MatchedEvent) -> [Double] {
        isInside ? paths[path].inside.numbers(event) : paths[path].outside.numbers(event)
    }

    // MARK: Clauses

    /// Whether a value outside of all arrays passes a clause.
    mutating func passOutside(
        _ clause: PatternIndex.Clause, _ arena: TestArena, _ event: borrowing MatchedEvent, _ cost: inout MatchCost
    ) -> Bool {
        let path = path(of: clause.leaf, event)
        return paths[path].outside.passes(clause, arena, event, &cost)
    }

    mutating func passInside(
        _ clause: PatternIndex.Clause, _ arena: TestArena, _ event: borrowing MatchedEvent, _ cost: inout MatchCost
    ) -> Bool {
        let path = path(of: clause.leaf, event)
        return paths[path].inside.passes(clause, arena, event, &cost)
    }

    /// How many fields inside of arrays pass a clause, at most.
    mutating func insideCountMax(
        _ clause: PatternIndex.Clause, _ arena: TestArena, _ event: borrowing MatchedEvent, _ cost: inout MatchCost
    ) -> Int {
        let path = path(of: clause.leaf, event)
        return paths[path].inside.countMax(clause, arena, event, &cost)
    }

    /// Hands over the places inside of arrays where fields pass a clause, some perhaps more than once, until `body` says that
    /// there are enough.
    mutating func forEachPlaceInside(
        _ clause: PatternIndex.Clause, _ arena: TestArena, _ event: borrowing MatchedEvent, _ cost: inout MatchCost,
        _ body: (Int32) -> Bool
    ) {
        let path = path(of: clause.leaf, event)
        paths[path].inside.forEachPlace(clause, arena, event, &cost, body)
    }

    // MARK: Elements

    /// An element with all that is inside of it.
    mutating func elements(in place: Int32, _ event: borrowing MatchedEvent) -> Range<Int32> {
        let places = event.fields.places
        if ends.isEmpty {
            ends = places.indices.map { Int32($0 + 1) }
            for place in places.indices.dropFirst().reversed() {
                let parent = Int(places[place].parent)
                ends[parent] = max(ends[parent], ends[place])
            }
        }
        return place..<ends[Int(place)]
    }

    /// Hands over the fields of a path, as positions in ``ValueTable/byPlace``, that are inside of an element or of one that it is
    /// inside of, until `body` says that there are enough.
    mutating func forEachField(
        _ path: Int, agreeingWith place: Int32, _ event: borrowing MatchedEvent, _ body: (Int) -> Bool
    ) {
        for position in paths[path].inside.fields(in: elements(in: place, event)) where !body(position) { return }
        var outer = event.fields.places[Int(place)].parent
        while outer > 0 {
            for position in paths[path].inside.fields(in: outer..<(outer + 1)) where !body(position) { return }
            outer = event.fields.places[Int(outer)].parent
        }
    }
}

extension ValueTable {
    /// Whether some value passes one of a clause's tests.
    fileprivate mutating func passes(
        _ clause: PatternIndex.Clause, _ arena: TestArena, _ event: borrowing MatchedEvent, _ cost: inout MatchCost
    ) -> Bool {
        if isEmpty { return false }
        for number in clause.tests..<(clause.tests + clause.testCount) {
            cost.steps += 1
            let test = arena.tests[Int(number)]
            if test.kind == .anythingBut, let excludesAll = excludesAll(test, arena, event, &cost) {
                if !excludesAll { return true }
                continue
            }
            let span = span(of: test, arena, event)
            if span.isExact ? !span.range.isEmpty : passesSome(test, span, arena, event, &cost) { return true }
        }
        return false
    }

    /// Whether all values are among those that an anything-but excludes; nil: that would have to be tried.
    private mutating func excludesAll(
        _ test: CompiledTest, _ arena: TestArena, _ event: borrowing MatchedEvent, _ cost: inout MatchCost
    ) -> Bool? {
        var spans: [ValueSpan] = []
        cost.steps += Int(test.count)
        for number in test.start..<(test.start + test.count) {
            let span = span(of: arena.tests[Int(number)], arena, event)
            // All of an anything-but's tests are of one kind, so they are in one order.
            guard span.isExact, span.order == spans.first?.order ?? span.order else { return nil }
            if !span.range.isEmpty { spans.append(span) }
        }
        var excludedCount = 0
        var end = 0
        for span in spans.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            let start = max(end, span.range.lowerBound)
            excludedCount += max(0, span.range.upperBound - start)
            end = max(end, span.range.upperBound)
        }
        return excludedCount == fields.count
    }

    private func passesSome(
        _ test: CompiledTest, _ span: ValueSpan, _ arena: TestArena, _ event: borrowing MatchedEvent,
        _ cost: inout MatchCost
    ) -> Bool {
        for position in span.range {
            guard cost.spend(steps(test, value(span.order, position), event)) else { return false }
            if passes(test, value(span.order, position), arena, event) { return true }
        }
        return false
    }

    /// What it costs to hold a value against a test that no look-up decides: a wildcard, which reads the text, or an anything-but.
    private func steps(_ test: CompiledTest, _ value: Int32, _ event: borrowing MatchedEvent) -> Int {
        let field = event.fields.fields[Int(fields[Int(value)])]
        return 8 + Int(test.kind == .anythingBut ? test.count : 0) + Int(field.end - field.start) / 16
    }

    private func passes(
        _ test: CompiledTest, _ value: Int32, _ arena: TestArena, _ event: borrowing MatchedEvent
    ) -> Bool {
        let field = event.fields.fields[Int(fields[Int(value)])]
        return arena.passes(test, field.kind, event.text[field])
    }

    fileprivate mutating func countMax(
        _ clause: PatternIndex.Clause, _ arena: TestArena, _ event: borrowing MatchedEvent, _ cost: inout MatchCost
    ) -> Int {
        var count = 0
        for number in clause.tests..<(clause.tests + clause.testCount) where count < fieldCount {
            cost.steps += 1
            count += fieldCount(span(of: arena.tests[Int(number)], arena, event), event)
        }
        return min(count, fieldCount)
    }

    fileprivate mutating func forEachPlace(
        _ clause: PatternIndex.Clause, _ arena: TestArena, _ event: borrowing MatchedEvent, _ cost: inout MatchCost,
        _ body: (Int32) -> Bool
    ) {
        for number in clause.tests..<(clause.tests + clause.testCount) {
            let test = arena.tests[Int(number)]
            let span = span(of: test, arena, event)
            for position in span.range {
                let value = value(span.order, position)
                if !span.isExact {
                    guard cost.spend(steps(test, value, event)) else { return }
                    guard passes(test, value, arena, event) else { continue }
                }
                for place in places(of: value) {
                    guard cost.spend(1), body(place) else { return }
                }
            }
        }
    }

    // MARK: Tests

    /// Where the values that pass a test stand side by side.
    private mutating func span(
        of test: CompiledTest, _ arena: TestArena, _ event: borrowing MatchedEvent
    ) -> ValueSpan {
        switch test.kind {
        case .null: return kind(.null)
        case .isFalse: return kind(.isFalse)
        case .isTrue: return kind(.isTrue)
        case .absent: return .none
        case .present: return ValueSpan(order: .plain, range: fields.indices)
        case .anythingBut: return ValueSpan(order: .plain, range: fields.indices, isExact: false)
        case .text, .prefix, .suffix, .literal:
            let bytes = arena.bytes[Int(test.start)..<Int(test.start + test.count)]
            return bytes.withUnsafeBufferPointer { key in
                switch test.kind {
                case .literal: span(.plain, key, isBeginning: false, of: .number, event)
                case .suffix: span(.backward, key, isBeginning: true, event)
                default: span(.plain, key, isBeginning: test.kind == .prefix, event)
                }
            }
        case .number:
            let number = arena.numbers[Int(test.start)]
            return numbers(notBefore: { $0 < number }, notBehind: { $0 > number }, event)
        case .range:
            let range = arena.ranges[Int(test.start)]
            return numbers(notBefore: range.isAbove, notBehind: range.isBelow, event)
        case .address:
            let address = arena.addresses[Int(test.start)]
            return addresses(from: address, maskBits: address.bitCount, event)
        case .network:
            let network = arena.networks[Int(test.start)]
            return addresses(from: network.base, maskBits: network.maskBits, event)
        case .other: return span(ofText: arena.others[Int(test.start)], event)
        }
    }

    private mutating func span(ofText test: ValueTest.Kind, _ event: borrowing MatchedEvent) -> ValueSpan {
        func find(_ table: inout ValueTable, _ order: ValueOrder, _ key: [UInt8], isBeginning: Bool) -> ValueSpan {
            key.withUnsafeBufferPointer { table.span(order, $0, isBeginning: isBeginning, event) }
        }
        var candidates = kind(.string)
        candidates.isExact = false
        switch test {
        case .equalsIgnoringCase(let text):
            guard let key = text.lowercasedASCII else { return candidates }
            return find(&self, .folded, key, isBeginning: false)
        case .prefixIgnoringCase(let text):
            guard let key = text.lowercasedASCII else { return candidates }
            return find(&self, .folded, key, isBeginning: true)
        case .suffixIgnoringCase(let text):
            guard let key = text.lowercasedASCII else { return candidates }
            return find(&self, .foldedBackward, key, isBeginning: true)
        case .wildcard(let wildcard):
            let (first, last) = (wildcard.parts[0], wildcard.parts[wildcard.starCount])
            if wildcard.starCount == 0 { return find(&self, .plain, first, isBeginning: false) }
            if !first.isEmpty { candidates = find(&self, .plain, first, isBeginning: true) }
            if !last.isEmpty {
                let ending = find(&self, .backward, last, isBeginning: true)
                if ending.range.count < candidates.range.count { candidates = ending }
            }
            candidates.isExact = false
            return candidates
        default: return candidates
        }
    }
}

extension NumericRange {
    /// Whether all of it is above a number.
    fileprivate func isAbove(_ number: Double) -> Bool {
        guard let lower else { return false }
        return number < lower.number.value || (number == lower.number.value && !lower.isIncluded)
    }

    fileprivate func isBelow(_ number: Double) -> Bool {
        guard let upper else { return false }
        return number > upper.number.value || (number == upper.number.value && !upper.isIncluded)
    }
}
