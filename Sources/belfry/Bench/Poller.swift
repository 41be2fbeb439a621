import CEpoll
import Glibc

/// Many sockets on one thread (epoll(7)). It blocks the thread that runs it, which is all that a load generator does.
/// Only sockets where something happened cost anything, and nothing is allocated after its beginning.
struct Poller: ~Copyable {
    private let descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    private let ready = UnsafeMutablePointer<epoll_event>.allocate(capacity: Self.readyMax)
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
    private static let readyMax = 256

    deinit {
        close(descriptor)
        ready.deallocate()
        buffer.deallocate()
    }

    /// What a socket is watched for; that the other side is gone is always told.
    enum Interest {
        case readable, writable, nothing

        fileprivate var events: UInt32 {
            switch self {
            case .readable: EPOLLIN.rawValue
            case .writable: EPOLLOUT.rawValue
            case .nothing: EPOLLRDHUP.rawValue
            }
        }
    }

    /// Watches a socket, which waits for nothing from now on.
    /// - Parameter index: what ``subscript`` names it by.
    func add(_ socket: Int32, as index: Int, for interest: Interest = .readable) {
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
        control(EPOLL_CTL_ADD, socket, index, interest)
    }

    func watch(_ socket: Int32, as index: Int, for interest: Interest) {
        control(EPOLL_CTL_MOD, socket, index, interest)
    }

    /// Watches it no more. A socket that is closed need not be removed.
    func remove(_ socket: Int32) { control(EPOLL_CTL_DEL, socket, 0, .nothing) }

    private func control(_ operation: Int32, _ socket: Int32, _ index: Int, _ interest: Interest) {
        var event = epoll_event()
        event.events = interest.events
        event.data.u64 = UInt64(index)
        epoll_ctl(descriptor, operation, socket, &event)
    }

    /// At how many sockets something happened; waits at most so long for the first. ``subscript`` names them.
    func wait(nanoseconds: Int64) -> Int {
        let patience = max(0, nanoseconds)
        var time = timespec(tv_sec: Int(patience / 1_000_000_000), tv_nsec: Int(patience % 1_000_000_000))
        return max(0, Int(epoll_pwait2(descriptor, ready, Int32(Self.readyMax), &time, nil)))
    }

    /// The index of a socket where something happened; `place` counts from 0.
    subscript(place: Int) -> Int { Int(ready[place].data.u64) }

    /// What has come, at most 256 KiB of it or `most`: good until the next call. Nil: the other side closed.
    func read(_ socket: Int32, most: Int = .max) -> UnsafeRawBufferPointer? {
        let count = Glibc.read(socket, buffer.baseAddress, min(most, buffer.count))
        if count < 0 { return errno == EAGAIN || errno == EINTR ? UnsafeRawBufferPointer(rebasing: buffer[..<0]) : nil }
        return count == 0 ? nil : UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }

    /// Sends all of it; waits while the socket is full, ten seconds at most.
    func write(_ socket: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
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
