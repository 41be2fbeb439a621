import BelfryCore

/// How values are sorted, so that those that pass a test stand side by side.
enum ValueOrder: Int, CaseIterable {
    /// By kind, then by bytes: a whole text, a beginning.
    case plain
    /// Texts by their bytes from the last to the first: an end.
    case backward
    /// Texts, the letters `A` to `Z` as lower case.
    case folded
    case foldedBackward
    /// Numbers that can be compared, by size.
    case number
    /// Texts that are addresses.
    case address

    /// How a text stands to a key in this order: negative, it comes before it; 0, it is equal, or begins with it.
    func compare(
        _ text: UnsafeBufferPointer<UInt8>, _ key: UnsafeBufferPointer<UInt8>, isBeginning: Bool
    ) -> Int {
        let folds = self == .folded || self == .foldedBackward
        let isBackward = self == .backward || self == .foldedBackward
        let count = min(text.count, key.count)
        for index in 0..<count {
            var left = isBackward ? text[text.count - 1 - index] : text[index]
            var right = isBackward ? key[key.count - 1 - index] : key[index]
            if folds {
                left = Self.lowercased(left)
                right = Self.lowercased(right)
            }
            if left != right { return Int(left) - Int(right) }
        }
        return isBeginning && text.count > count ? 0 : text.count - key.count
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}

/// Values that stand side by side in an order. All that pass a test are among them.
struct ValueSpan {
    var order: ValueOrder
    var range: Range<Int>
    /// Whether all of them pass it.
    var isExact = true

    static let none = ValueSpan(order: .plain, range: 0..<0)
}
