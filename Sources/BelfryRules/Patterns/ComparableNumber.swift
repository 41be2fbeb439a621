import BelfryCore

/// A number that can be compared: one that a double holds without losing a digit of its decimal text.
///
/// event-ruler's rule (ComparableNumber): `1`, `1.0` and `1e0` are the same number, `0.1` is comparable because it is the
/// shortest text of its double, a 20-digit integer is not. What is not comparable still matches by its literal text.
struct ComparableNumber: Hashable, Comparable, Sendable {
    let value: Double

    /// Nil if `text`, a JSON number, has more digits or a larger exponent than a double keeps, or is longer than
    /// ``Limits/comparableNumberBytesMax``.
    init?(_ text: String) {
        var text = text
        guard let number = text.withUTF8({ ComparableNumber($0) }) else { return nil }
        self = number
    }

    init?(_ text: UnsafeBufferPointer<UInt8>) {
        if let short = Self.short(text) {
            self.init(value: short)
        } else {
            guard text.count <= Limits.comparableNumberBytesMax else { return nil }
            self.init(long: String(decoding: text, as: UTF8.self))
        }
    }

    /// The number of a text without exponent and with at most 15 digits: every such decimal survives a double (C's
    /// `DBL_DIG`), and its digits and the power of ten below them are exact, so that one division rounds right.
    private static func short(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        guard text.count <= 17 else { return nil }
        var digits: Int64 = 0
        var digitCount = 0
        var fractionDigits: Int?
        for byte in text {
            if byte &- 0x30 < 10 {
                digits = digits * 10 + Int64(byte - 0x30)
                digitCount += 1
                fractionDigits? += 1
            } else if byte == UInt8(ascii: ".") {
                fractionDigits = 0
            } else if byte != UInt8(ascii: "-") {
                return nil
            }
        }
        guard digitCount <= 15 else { return nil }
        let value = Double(digits) / powersOfTen[fractionDigits ?? 0]
        return text.first == UInt8(ascii: "-") && digits != 0 ? -value : value
    }

    private static let powersOfTen: [Double] = (0...15).map { Double("1e\($0)") ?? 1 }

    private init(value: Double) { self.value = value }

    private init?(long text: String) {
        guard let exact = DecimalNumber(text) else { return nil }
        if exact.isZero {
            value = 0
            return
        }
        guard let double = Double(text), double.isFinite, let nearest = DecimalNumber(double.description),
            nearest == exact
        else { return nil }
        value = double
    }

    static func < (left: ComparableNumber, right: ComparableNumber) -> Bool { left.value < right.value }
}
