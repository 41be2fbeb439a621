import BelfryCore
import Glibc

/// Where the scripted provider waits for the hub.
struct ProviderListener: ~Copyable {
    let socket: Int32
    let port: Int

    /// - Parameter host: an IPv4 address of this machine; any free port of it is taken.
    init(host: String) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            throw Failure(.usage, "--host: \(host) is no IPv4 address")
        }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(AF_INET, kind, 0)
        guard socket >= 0 else { throw Failure(.unreachable, "no socket: \(LocalFile.lastError())") }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listens = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && listen(socket, 1024) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard listens else {
            let reason = LocalFile.lastError()
            close(socket)
            throw Failure(.unreachable, "cannot listen on \(host): \(reason)")
        }
        self.socket = socket
        port = Int(in_port_t(bigEndian: address.sin_port))
    }

    deinit { close(socket) }

    /// The next connection that waits; nil if there is none.
    func accept() -> Int32? {
        let client = Glibc.accept(socket, nil, nil)
        guard client >= 0 else { return nil }
        var isOn: Int32 = 1
        setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
        return client
    }
}
