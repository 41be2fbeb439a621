import BelfryCore

/// One alternative of a field's list: what a single scalar is held against.
struct ValueTest: Sendable {
    /// As the author wrote it, for explanations.
    let written: JSONValue
    let kind: Kind

    indirect enum Kind: Sendable, Hashable {
        /// `null`, `true`, `false`.
        case null
        case bool(Bool)
        /// Equal as a number, or by its literal text where it is none that can be compared.
        case number(ComparableNumber?, literal: String)
        case comparable(ComparableNumber)
        case text([UInt8])
        /// A bare string that is an address matches every way of writing that address.
        case address(IPAddress)
        case prefix([UInt8])
        case suffix([UInt8])
        case equalsIgnoringCase(CaseInsensitiveText)
        case prefixIgnoringCase(CaseInsensitiveText)
        case suffixIgnoringCase(CaseInsensitiveText)
        case wildcard(Wildcard)
        case numeric(NumericRange)
        case network(IPNetwork)
        /// The field has any scalar value.
        case present
        /// The field has none; no value satisfies it, see ``PatternMatcher``.
        case absent
        /// None of these.
        case anythingBut([Kind])
    }

    var isAbsence: Bool { if case .absent = kind { true } else { false } }

    func matches(_ value: JSONValue) -> Bool { kind.matches(value) }
}

extension ValueTest.Kind {
    /// Whether a scalar passes. Tests of text hold for strings only, tests of numbers for numbers only.
    func matches(_ value: JSONValue) -> Bool {
        switch self {
        case .null: return value.isNull
        case .bool(let wanted): return value.bool == wanted
        case .number(let wanted, let literal):
            guard let number = value.number else { return false }
            if number.text == literal { return true }
            guard let wanted, let seen = ComparableNumber(number.text) else { return false }
            return seen == wanted
        case .comparable(let wanted): return value.number.flatMap { ComparableNumber($0.text) } == wanted
        case .numeric(let range):
            guard let seen = value.number.flatMap({ ComparableNumber($0.text) }) else { return false }
            return range.contains(seen)
        case .present: return true
        case .absent: return false
        case .anythingBut(let excluded): return !excluded.contains { $0.matches(value) }
        default:
            guard var text = value.string else { return false }
            return text.withUTF8 { matches(text: $0) }
        }
    }

    /// Whether the bytes of a string pass a test of text.
    func matches(text: UnsafeBufferPointer<UInt8>) -> Bool {
        switch self {
        case .text(let wanted): text.elementsEqual(wanted)
        case .prefix(let prefix): text.starts(with: prefix)
        case .suffix(let suffix): text.count >= suffix.count && text.suffix(suffix.count).elementsEqual(suffix)
        case .equalsIgnoringCase(let wanted): wanted.equals(text)
        case .prefixIgnoringCase(let wanted): wanted.isPrefix(of: text)
        case .suffixIgnoringCase(let wanted): wanted.isSuffix(of: text)
        case .wildcard(let wildcard): wildcard.matches(text)
        case .address(let wanted): IPAddress(text) == wanted
        case .network(let network): IPAddress(text).map(network.contains) ?? false
        default: false
        }
    }
}

/// An interval of numbers, open or closed at either end, or without an end.
struct NumericRange: Hashable, Sendable {
    struct Bound: Hashable, Sendable {
        var number: ComparableNumber
        var isIncluded: Bool
    }

    var lower: Bound?
    var upper: Bound?

    func contains(_ number: ComparableNumber) -> Bool {
        if let lower, number < lower.number || (number == lower.number && !lower.isIncluded) { return false }
        if let upper, number > upper.number || (number == upper.number && !upper.isIncluded) { return false }
        return true
    }
}
