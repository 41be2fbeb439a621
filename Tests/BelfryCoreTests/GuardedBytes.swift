import Glibc

/// Memory between two pages that nobody may touch: a read of one byte too many, at either end, ends the process.
final class GuardedBytes {
    private let base: UnsafeMutableRawPointer
    private let pageBytes: Int
    private let roomBytes: Int

    /// - Parameter room: the longest text that is going to be held.
    init(room: Int) throws {
        pageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))
        roomBytes = (room + pageBytes - 1) / pageBytes * pageBytes
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let base = mmap(nil, roomBytes + 2 * pageBytes, PROT_NONE, flags, -1, 0), base != MAP_FAILED,
            mprotect(base + pageBytes, roomBytes, PROT_READ | PROT_WRITE) == 0
        else { throw Refused() }
        self.base = base
    }

    deinit { munmap(base, roomBytes + 2 * pageBytes) }

    struct Refused: Error {}

    /// Gives the bytes twice: first they end where the last page begins, then they begin where the first page ends.
    func withBytes<Result>(_ bytes: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> [Result]
    {
        precondition(bytes.count <= roomBytes)
        return try [roomBytes - bytes.count, 0].map { offset in
            let start = base + pageBytes + offset
            start.copyMemory(from: bytes, byteCount: bytes.count)
            let held = start.assumingMemoryBound(to: UInt8.self)
            return try body(UnsafeBufferPointer(start: held, count: bytes.count))
        }
    }
}
