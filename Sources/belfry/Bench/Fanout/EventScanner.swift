/// Finds the marks of complete server-sent events: an event counts when its empty line is there.
struct EventScanner: Sendable {
    private var lines = EventLines()
    private var mark: FanoutMark?

    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ format: FanoutMark.Format, _ marks: inout [FanoutMark]) {
        var mark = mark
        lines.feed(bytes) { line in
            if line.isEmpty {
                if let mark { marks.append(mark) }
                mark = nil
            } else if mark == nil, line.starts(with: "data:".utf8) {
                mark = format.find(in: line)
            }
        }
        self.mark = mark
    }
}
