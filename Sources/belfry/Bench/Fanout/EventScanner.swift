import Glibc

/// Finds the marks of complete server-sent events (WHATWG HTML, 9.2.6): an event counts when its empty line is there.
struct EventScanner: Sendable {
    /// A line that is not whole yet.
    private var kept: [UInt8] = []
    private var mark: FanoutMark?
    /// The line before ended with CR: a LF that follows belongs to it.
    private var isAfterReturn = false

    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ format: FanoutMark.Format, _ marks: inout [FanoutMark]) {
        guard let base = bytes.baseAddress else { return }
        var at = 0
        while at < bytes.count {
            if isAfterReturn {
                isAfterReturn = false
                if bytes[at] == 0x0A {
                    at += 1
                    continue
                }
            }
            guard let end = Self.lineEnd(base + at, bytes.count - at) else {
                kept += bytes[at...]
                return
            }
            let line = UnsafeRawBufferPointer(start: base + at, count: end)
            if kept.isEmpty {
                take(line, format, &marks)
            } else {
                // Taken out and put back, so that its room is used again and not copied.
                var whole: [UInt8] = []
                swap(&whole, &kept)
                whole += line
                whole.withUnsafeBytes { take($0, format, &marks) }
                whole.removeAll(keepingCapacity: true)
                swap(&whole, &kept)
            }
            isAfterReturn = bytes[at + end] == 0x0D
            at += end + 1
        }
    }

    /// The length of the line that begins here; nil if its end is not there.
    private static func lineEnd(_ start: UnsafeRawPointer, _ count: Int) -> Int? {
        let feed = memchr(start, 0x0A, count).map { UnsafeRawPointer($0) - start }
        return memchr(start, 0x0D, feed ?? count).map { UnsafeRawPointer($0) - start } ?? feed
    }

    private mutating func take(
        _ line: UnsafeRawBufferPointer, _ format: FanoutMark.Format, _ marks: inout [FanoutMark]
    ) {
        if line.isEmpty {
            if let mark { marks.append(mark) }
            mark = nil
        } else if mark == nil, line.starts(with: "data:".utf8) {
            mark = format.find(in: line)
        }
    }
}
