import Glibc

/// Measures how long a folder's disk takes to make 4 KiB durable.
enum SyncTimer {
    /// Nil if no file can be written there. The file is gone afterwards.
    static func measure(in folder: String, rounds: Int) -> Histogram? {
        let path = "\(folder)/.doctor.\(getpid())"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        defer {
            close(descriptor)
            unlink(path)
        }
        let page = [UInt8](repeating: 0x5A, count: 4096)
        var times = Histogram()
        for round in 0..<rounds {
            let start = ContinuousClock.now
            guard pwrite(descriptor, page, page.count, off_t(round * page.count)) == page.count,
                fdatasync(descriptor) == 0
            else { return nil }
            times.add(.now - start)
        }
        return times
    }
}
