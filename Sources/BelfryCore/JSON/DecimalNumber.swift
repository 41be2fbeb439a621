/// A number to its last digit, however it is written: `1`, `1.0` and `1e0` are one.
public struct DecimalNumber: Sendable, Hashable {
    private var isNegative = false
    /// Without zeros at either end; none: the number is zero.
    private var digits: [UInt8] = []
    /// The power of ten of the last digit.
    private var exponent = 0

    /// - Parameter text: a JSON number.
    /// - Returns: nil if its exponent does not fit in 32 bits.
    public init?(_ text: String) {
        var fractionDigits: Int?
        var exponentText: Substring = ""
        scan: for (index, character) in zip(text.utf8.indices, text.utf8) {
            switch character {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "."): fractionDigits = 0
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                exponentText = text[text.utf8.index(after: index)...]
                break scan
            default:
                digits.append(character)
                fractionDigits? += 1
            }
        }
        guard let written = exponentText.isEmpty ? 0 : Int32(exponentText) else { return nil }
        exponent = Int(written) - (fractionDigits ?? 0)
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        digits.removeFirst(digits.prefix { $0 == UInt8(ascii: "0") }.count)
        if isZero { (isNegative, exponent) = (false, 0) }
    }

    public var isZero: Bool { digits.isEmpty }

    /// One text per number, which is valid JSON: integers of up to 20 digits as they are, others as digits and exponent.
    public var text: String {
        if isZero { return "0" }
        let sign = isNegative ? "-" : ""
        let written = String(decoding: digits, as: UTF8.self)
        if exponent >= 0, digits.count + exponent <= 20 {
            return sign + written + String(repeating: "0", count: exponent)
        }
        return "\(sign)\(written)e\(exponent)"
    }
}

extension DecimalNumber: Comparable {
    public static func < (left: DecimalNumber, right: DecimalNumber) -> Bool {
        let signs = (left.sign, right.sign)
        guard signs.0 == signs.1, signs.0 != 0 else { return signs.0 < signs.1 }
        return left.isNegative ? isSmaller(right, left) : isSmaller(left, right)
    }

    private var sign: Int { isZero ? 0 : isNegative ? -1 : 1 }

    /// Without the signs; neither is zero.
    private static func isSmaller(_ left: DecimalNumber, _ right: DecimalNumber) -> Bool {
        // The place of the first digit decides, then the digits from there.
        let places = (left.digits.count + left.exponent, right.digits.count + right.exponent)
        return places.0 == places.1 ? left.digits.lexicographicallyPrecedes(right.digits) : places.0 < places.1
    }
}

// MARK: - Division

extension DecimalNumber {
    /// Whether it has no fraction, however it is written.
    var isInteger: Bool { exponent >= 0 }

    /// Whether ``isMultiple(of:)`` can divide by it: greater than zero, and its digits fit in 64 bits.
    var isDivisor: Bool { !isZero && !isNegative && digits.count <= Limits.schemaDivisorDigitsMax }

    /// To the last digit; in a time that grows with the digits, not with the exponent.
    /// - Parameter divisor: one that ``isDivisor``.
    func isMultiple(of divisor: DecimalNumber) -> Bool {
        if isZero { return true }
        // Neither has zeros at its end, so what is not a multiple of ten can't be one of ten times the divisor.
        guard divisor.isDivisor, exponent >= divisor.exponent else { return false }
        let modulus = divisor.digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1 & 15) }
        func product(_ left: UInt64, _ right: UInt64) -> UInt64 {
            modulus.dividingFullWidth(left.multipliedFullWidth(by: right)).remainder
        }
        var rest = digits.reduce(UInt64(0)) { ($0 * 10 + UInt64($1 & 15)) % modulus }
        var power = 10 % modulus
        var exponentLeft = exponent - divisor.exponent
        while exponentLeft > 0, rest != 0 {
            if exponentLeft & 1 == 1 { rest = product(rest, power) }
            power = product(power, power)
            exponentLeft >>= 1
        }
        return rest == 0
    }
}

extension JSONNumber {
    /// The same number in the one form that all of its spellings have; as it is if its exponent is beyond 32 bits.
    public var normalized: JSONNumber { DecimalNumber(text).map { JSONNumber(unchecked: $0.text) } ?? self }

    /// Whether it is less, to the last digit.
    public func isLess(than other: JSONNumber) -> Bool {
        let doubles = (double, other.double)
        // Rounding keeps the order; it only makes some equal.
        if doubles.0 != doubles.1 { return doubles.0 < doubles.1 }
        guard let exact = DecimalNumber(text), let otherExact = DecimalNumber(other.text) else { return false }
        return exact < otherExact
    }
}
