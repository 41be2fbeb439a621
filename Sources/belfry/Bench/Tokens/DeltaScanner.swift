import Glibc

/// Finds the marks in the text of a run, as its frames bring it: a delta may hold several, and one may be cut in two by
/// deltas. What an event brings counts when the event is complete.
struct DeltaScanner: Sendable {
    private var lines = EventLines()
    /// The end of the text so far, which may be the first half of a mark.
    private var tail: [UInt8] = []
    /// Of the event that is not complete yet.
    private var pending: [FanoutMark] = []

    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ format: FanoutMark.Format, _ marks: inout [FanoutMark]) {
        var (tail, pending) = ([UInt8](), [FanoutMark]())
        swap(&tail, &self.tail)
        swap(&pending, &self.pending)
        lines.feed(bytes) { line in
            if line.isEmpty {
                marks += pending
                pending.removeAll(keepingCapacity: true)
            } else if let delta = Self.delta(line) {
                Self.take(delta, &tail, format, &pending)
            }
        }
        swap(&tail, &self.tail)
        swap(&pending, &self.pending)
    }

    /// The text that a frame brings, as JSON spells it; marks are spelled as they are.
    private static func delta(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard line.starts(with: "data:".utf8), let base = line.baseAddress, let start = line.end(of: key) else {
            return nil
        }
        guard let end = memchr(base + start, 0x22, line.count - start) else { return nil }
        return UnsafeRawBufferPointer(start: base + start, count: UnsafeRawPointer(end) - base - start)
    }

    private static let key = Array(#""delta":""#.utf8)

    private static func take(
        _ text: UnsafeRawBufferPointer, _ tail: inout [UInt8], _ format: FanoutMark.Format, _ marks: inout [FanoutMark]
    ) {
        var at = 0
        if tail.isEmpty {
            while let mark = format.next(in: text, at: &at) { marks.append(mark) }
            tail += text[at...].suffix(FanoutMark.Format.bytesMax)
        } else {
            tail += text
            tail.withUnsafeBytes { whole in
                while let mark = format.next(in: whole, at: &at) { marks.append(mark) }
            }
            tail.removeFirst(max(at, tail.count - FanoutMark.Format.bytesMax))
        }
    }
}
