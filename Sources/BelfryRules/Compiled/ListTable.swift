/// Keys (``Access/key(_:_:_:)``) to lists of numbers: open addressing over one array. Made once, then read.
struct ListTable: Sendable {
    private struct Slot: Sendable {
        var key: UInt64 = 0
        /// Where the list begins in ``numbers``.
        var start: Int32 = 0
        /// Negative: the slot is free.
        var count: Int32 = -1
    }

    private var slots: [Slot]
    private var numbers: [Int32]

    /// Lists are as many as slots, though most of these are empty.
    var listCount: Int { slots.count }

    var byteCount: Int { slots.count * MemoryLayout<Slot>.stride + numbers.count * MemoryLayout<Int32>.stride }

    init(_ entries: [(key: UInt64, number: Int32)]) {
        let keys = Set(entries.map(\.key)).count
        var size = 8
        while size < keys * 2 { size *= 2 }
        slots = Array(repeating: Slot(), count: size)
        numbers = Array(repeating: 0, count: entries.count)
        // Count, lay out, fill.
        for entry in entries {
            let index = place(of: entry.key)
            slots[index].key = entry.key
            slots[index].count = max(0, slots[index].count) + 1
        }
        var end: Int32 = 0
        for index in slots.indices where slots[index].count >= 0 {
            slots[index].start = end
            end += slots[index].count
            slots[index].count = 0
        }
        for entry in entries {
            let index = place(of: entry.key)
            numbers[Int(slots[index].start + slots[index].count)] = entry.number
            slots[index].count += 1
        }
    }

    /// The slot that holds a key, or the free one where it would be.
    private func place(of key: UInt64) -> Int {
        var index = Int(truncatingIfNeeded: key) & (slots.count - 1)
        while slots[index].count >= 0, slots[index].key != key { index = (index + 1) & (slots.count - 1) }
        return index
    }

    /// The list of a key; -1: there is none.
    @inline(__always)
    func list(of key: UInt64) -> Int32 {
        let index = place(of: key)
        return slots[index].count < 0 ? -1 : Int32(truncatingIfNeeded: index)
    }

    @inline(__always)
    func forEachNumber(in list: Int32, _ body: (Int32) -> Void) {
        let slot = slots[Int(list)]
        for index in Int(slot.start)..<Int(slot.start + slot.count) { body(numbers[index]) }
    }
}
