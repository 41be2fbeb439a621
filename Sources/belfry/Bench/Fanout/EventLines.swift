import Glibc

/// Cuts an event stream into its lines (WHATWG HTML, 9.2.6), however they end and wherever its bytes are cut.
struct EventLines: Sendable {
    /// A line that is not whole yet.
    private var kept: [UInt8] = []
    /// The line before ended with CR: a LF that follows belongs to it.
    private var isAfterReturn = false

    /// Gives each line that is whole to `take`, without its end.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void) {
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
                take(line)
            } else {
                kept += line
                kept.withUnsafeBytes { take($0) }
                kept.removeAll(keepingCapacity: true)
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
}
