import Glibc

/// Many sockets on one thread (poll(2)). It blocks the thread that runs it, which is all that a load generator does.
///
/// Each wait looks at every socket; one message makes all of them readable, so the cost is shared among many.
struct Poller {
    private var entries: [pollfd] = []
    private var buffer = [UInt8](repeating: 0, count: 256 * 1024)

    /// Watches a connected socket; its index is the number of sockets added before.
    mutating func add(_ socket: Int32) {
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
        entries.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0))
    }

    /// Watches it no more.
    mutating func remove(_ index: Int) { entries[index].fd = -1 }

    /// The indices of sockets that can be read; waits at most `timeout`.
    mutating func wait(_ timeout: Duration) -> [Int] {
        let milliseconds = Int32(clamping: max(0, timeout.nanoseconds / 1_000_000))
        guard poll(&entries, nfds_t(entries.count), milliseconds) > 0 else { return [] }
        return entries.indices.filter { entries[$0].revents != 0 }
    }

    /// What has come, at most 256 KiB of it. Nil: the other side closed.
    mutating func read(_ socket: Int32) -> [UInt8]? {
        let count = Glibc.read(socket, &buffer, buffer.count)
        if count < 0 { return errno == EAGAIN || errno == EINTR ? [] : nil }
        return count == 0 ? nil : Array(buffer[..<count])
    }

    /// Sends all of it; waits while the socket is full.
    func write(_ socket: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(socket, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var entry = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
                guard poll(&entry, 1, 10_000) == 1 else { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
