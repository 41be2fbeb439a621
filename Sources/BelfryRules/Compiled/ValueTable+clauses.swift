import BelfryCore

extension ValueTable {
    /// Whether some value passes one of a clause's tests.
    mutating func passes(
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

    /// How many fields pass a clause, at most.
    mutating func countMax(
        _ clause: PatternIndex.Clause, _ arena: TestArena, _ event: borrowing MatchedEvent, _ cost: inout MatchCost
    ) -> Int {
        var count = 0
        for number in clause.tests..<(clause.tests + clause.testCount) where count < fieldCount {
            cost.steps += 1
            count += fieldCount(span(of: arena.tests[Int(number)], arena, event), event)
        }
        return min(count, fieldCount)
    }

    /// Hands over the places where fields pass a clause, some perhaps more than once, until `body` says that there are enough.
    mutating func forEachPlace(
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
