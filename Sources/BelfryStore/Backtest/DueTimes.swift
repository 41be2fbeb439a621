import BelfryCore

/// What is to happen at which time: a heap, the earliest first, of equals the one that was added first.
struct DueTimes<Element: Sendable>: Sendable {
    private struct Entry {
        var time: Timestamp
        var number: Int
        var element: Element
    }

    private var heap: [Entry] = []
    private var count = 0

    mutating func add(_ element: Element, at time: Timestamp) {
        count += 1
        heap.append(Entry(time: time, number: count, element: element))
        var index = heap.count - 1
        while index > 0, isBefore(index, (index - 1) / 2) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// Takes the earliest out, if it is due at `time`.
    mutating func next(upTo time: Timestamp) -> (time: Timestamp, element: Element)? {
        guard let first = heap.first, first.time <= time else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var index = 0
        while true {
            var earliest = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && isBefore(child, earliest) {
                earliest = child
            }
            guard earliest != index else { break }
            heap.swapAt(index, earliest)
            index = earliest
        }
        return (first.time, first.element)
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (heap[left].time, heap[left].number) < (heap[right].time, heap[right].number)
    }
}
