import BelfryCore

/// One test of a clause, as numbers that lead into the arrays of a ``TestArena``.
struct CompiledTest: Sendable {
    enum Kind: UInt8, Sendable {
        case null, isFalse, isTrue, present, absent
        /// `start` and `count` are bytes.
        case text, prefix, suffix, literal
        /// `start` is one of the numbers, ranges, addresses, networks or other tests.
        case number, range, address, network, other
        /// `start` and `count` are tests.
        case anythingBut
    }

    var kind: Kind
    var start: Int32 = 0
    var count: Int32 = 0
}

/// The tests of many patterns, flat: nothing in it is an object of its own, so that reading it counts no references.
struct TestArena: Sendable {
    private(set) var tests: [CompiledTest] = []
    private(set) var bytes: [UInt8] = []
    private(set) var numbers: [Double] = []
    private(set) var ranges: [NumericRange] = []
    private(set) var addresses: [IPAddress] = []
    private(set) var networks: [IPNetwork] = []
    /// Tests of text that are rare, or cost more to do than to fetch.
    private(set) var others: [ValueTest.Kind] = []

    /// Adds tests, one behind the other. - Returns: where they are.
    mutating func append(_ kinds: [ValueTest.Kind]) -> (start: Int32, count: Int32) {
        // What an anything-but excludes stands before it, out of the row.
        let compiled = kinds.map { compile($0) }
        tests.append(contentsOf: compiled)
        return (Int32(tests.count - compiled.count), Int32(compiled.count))
    }

    private mutating func compile(_ kind: ValueTest.Kind) -> CompiledTest {
        switch kind {
        case .null: return CompiledTest(kind: .null)
        case .bool(let isTrue): return CompiledTest(kind: isTrue ? .isTrue : .isFalse)
        case .present: return CompiledTest(kind: .present)
        case .absent: return CompiledTest(kind: .absent)
        case .text(let text): return append(text, .text)
        case .prefix(let text): return append(text, .prefix)
        case .suffix(let text): return append(text, .suffix)
        // The same text is the same number; text counts only where it is no number that can be compared.
        case .number(nil, let literal): return append(Array(literal.utf8), .literal)
        case .number(let number?, _), .comparable(let number):
            numbers.append(number.value)
            return CompiledTest(kind: .number, start: Int32(numbers.count - 1))
        case .numeric(let range):
            ranges.append(range)
            return CompiledTest(kind: .range, start: Int32(ranges.count - 1))
        case .address(let address):
            addresses.append(address)
            return CompiledTest(kind: .address, start: Int32(addresses.count - 1))
        case .network(let network):
            networks.append(network)
            return CompiledTest(kind: .network, start: Int32(networks.count - 1))
        case .anythingBut(let excluded):
            let (start, count) = append(excluded)
            return CompiledTest(kind: .anythingBut, start: start, count: count)
        case .equalsIgnoringCase, .prefixIgnoringCase, .suffixIgnoringCase, .wildcard:
            others.append(kind)
            return CompiledTest(kind: .other, start: Int32(others.count - 1))
        }
    }

    private mutating func append(_ text: [UInt8], _ kind: CompiledTest.Kind) -> CompiledTest {
        bytes.append(contentsOf: text)
        return CompiledTest(kind: kind, start: Int32(bytes.count - text.count), count: Int32(text.count))
    }

    /// Bytes that the arena takes. What a rare test holds besides is estimated.
    var byteCount: Int {
        tests.count * MemoryLayout<CompiledTest>.stride + bytes.count + numbers.count * MemoryLayout<Double>.stride
            + ranges.count * MemoryLayout<NumericRange>.stride + addresses.count * MemoryLayout<IPAddress>.stride
            + networks.count * MemoryLayout<IPNetwork>.stride + others.count * 256
    }

    // MARK: Testing

    /// Whether a value passes one of some tests. `text` is what ``FieldText`` gives for the field.
    func passesAny(
        from start: Int32, count: Int32, _ kind: WalkedField.Kind, _ text: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        for index in Int(start)..<Int(start + count) where passes(tests[index], kind, text) { return true }
        return false
    }

    func passes(
        _ test: CompiledTest, _ kind: WalkedField.Kind, _ text: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        switch test.kind {
        case .null: return kind == .null
        case .isFalse: return kind == .isFalse
        case .isTrue: return kind == .isTrue
        case .present: return true
        case .absent: return false
        case .text: return kind == .string && text.count == test.count && holds(test, text, from: 0)
        case .prefix: return kind == .string && text.count >= test.count && holds(test, text, from: 0)
        case .suffix:
            return kind == .string && text.count >= test.count
                && holds(test, text, from: text.count - Int(test.count))
        case .literal: return kind == .number && text.count == test.count && holds(test, text, from: 0)
        case .number: return kind == .number && ComparableNumber(text)?.value == numbers[Int(test.start)]
        case .range:
            guard kind == .number, let number = ComparableNumber(text) else { return false }
            return ranges[Int(test.start)].contains(number)
        case .address: return kind == .string && IPAddress(text) == addresses[Int(test.start)]
        case .network:
            guard kind == .string, let address = IPAddress(text) else { return false }
            return networks[Int(test.start)].contains(address)
        case .other: return kind == .string && others[Int(test.start)].matches(text: text)
        case .anythingBut: return !passesAny(from: test.start, count: test.count, kind, text)
        }
    }

    /// Whether the bytes of a test stand in a text at an offset; the text is long enough.
    private func holds(_ test: CompiledTest, _ text: UnsafeBufferPointer<UInt8>, from offset: Int) -> Bool {
        let start = Int(test.start)
        for index in 0..<Int(test.count) where bytes[start + index] != text[offset + index] { return false }
        return true
    }
}
