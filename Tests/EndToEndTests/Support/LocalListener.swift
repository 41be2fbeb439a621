import Foundation
import Glibc
import Synchronization

/// A TCP listener on a free port of this machine.
final class LocalListener: Sendable {
    let port: Int
    private let descriptor: Int32
    private let isStopped = Mutex(false)

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard result else { throw Timeout(what: "a free port") }
        port = Int(in_port_t(bigEndian: address.sin_port))
        self.descriptor = descriptor
    }

    /// Gives each connection to `serve`, on a thread of its own, and closes it afterwards; until ``stop()``.
    /// - Parameter serve: gets the descriptor, and the connection's number from 0.
    func take(_ serve: @escaping @Sendable (Int32, Int) -> Void) {
        let descriptor = descriptor
        Thread.detachNewThread {
            for index in 0... {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else {
                    // Here and not in `stop`: a number that is closed while this thread uses it may be another's by then.
                    close(descriptor)
                    return
                }
                Thread.detachNewThread {
                    serve(client, index)
                    close(client)
                }
            }
        }
    }

    /// Takes no more connections.
    func stop() {
        let wasStopped = isStopped.withLock { isStopped in
            defer { isStopped = true }
            return isStopped
        }
        if !wasStopped { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
}
